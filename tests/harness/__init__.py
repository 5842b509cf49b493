"""What tests share: real servers in temporary folders, started and killed at will."""
