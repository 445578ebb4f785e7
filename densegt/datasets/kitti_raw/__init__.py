"""All that knows KITTI's raw recordings: drives in their original folders, synchronised and rectified."""
