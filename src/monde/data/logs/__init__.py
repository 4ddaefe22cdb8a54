"""Logs as folders of pictures and tables: EuRoC MAV, TUM RGB-D, KITTI raw."""
