"""Jobs over scenes: resume, scene lock, progress, summary, executors. What accumulate and complete share."""
