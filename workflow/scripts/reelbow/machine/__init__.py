"""What a node is: compiled code, GPUs, scratch, memory and CPU used."""
