"""Starting and ending the servers that are measured: Vitrine as an operator would, and its peers."""
