#!/bin/bash
# Accumulate a data set with a Slurm array: sbatch slurm_array.sh /data/nuscenes /shared/depth
#
# Every task runs the same line. Tasks that share a folder leave each other's scenes alone, finished scenes are skipped,
# and a task that is killed loses one scene at most, so the array may be of any length and may be submitted again.
#SBATCH --job-name=densegt
#SBATCH --array=0-7
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=12:00:00
set -eu
dataroot=$1 out=$2
shift 2

# Compiled once on the node's own disk, not by eight tasks in one home.
export NUMBA_CACHE_DIR="${NUMBA_CACHE_DIR-${TMPDIR:-/tmp}/densegt-kernels-$USER}"
densegt accumulate --dataroot "$dataroot" --out "$out" --workers "${SLURM_CPUS_PER_TASK:-1}" \
    --summary "$out/summary-${SLURM_ARRAY_TASK_ID:-0}.jsonl" "$@"
