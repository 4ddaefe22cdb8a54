"""MCAP: logs of robots (ROS 2, JSON and Protobuf messages), read lazily and written."""
