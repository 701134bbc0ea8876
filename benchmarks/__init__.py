"""Speed and memory beside named floors and peers."""
