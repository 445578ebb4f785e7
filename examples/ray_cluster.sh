#!/bin/bash
# Accumulate a data set on a Ray cluster of one's own machines: ray_cluster.sh /data/nuscenes /shared/depth
#
# On every further machine first: ray start --address HEAD:6379. All must see both folders under the same names. Where a
# cluster runs already, set RAY_ADDRESS to its HOST:PORT and this only uses it.
set -eu
dataroot=$1 out=$2
shift 2

if [ -z "${RAY_ADDRESS:-}" ]; then
    port=${RAY_PORT:-6379}
    ray start --head --port "$port" --disable-usage-stats --block >&2 &
    head=$!
    trap 'kill $head; wait $head || true' EXIT
    RAY_ADDRESS=127.0.0.1:$port
    # Until it answers, or has ended.
    while kill -0 $head && ! ray status --address "$RAY_ADDRESS" >/dev/null 2>&1; do sleep 1; done
fi
densegt accumulate --dataroot "$dataroot" --out "$out" --executor ray --ray-address "$RAY_ADDRESS" "$@"
