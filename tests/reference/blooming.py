import numpy as np


def blooming(range_m, intensity, neighbours, steps, retro_intensity, share, out):
    for i in np.flatnonzero(intensity >= retro_intensity):
        tolerance_m = max(np.float32(0.3), np.float32(0.02) * range_m[i])
        for side in range(4):
            run, after = run_of_dim_ones(i, side, range_m, intensity, neighbours, steps[side], share, tolerance_m)
            if after == "none" or (after != "more" and range_m[after] > range_m[i] + tolerance_m):
                out[run] = True


def run_of_dim_ones(i, side, range_m, intensity, neighbours, most, share, tolerance_m):
    """Rows at this range one after the other, and the first that is not: its row, "none", or "more" than `most`."""
    run = []
    while True:
        following = neighbours[run[-1] if run else i, side]
        if following < 0:
            return run, "none" if len(run) <= most else "more"
        same = abs(range_m[following] - range_m[i]) <= tolerance_m and intensity[following] < share * intensity[i]
        if not same:
            return run, following
        run.append(following)
        if len(run) > most:
            return run, "more"
