"""The other servers, each as its users write it. They run in environments of their own, with this folder as the current one."""
