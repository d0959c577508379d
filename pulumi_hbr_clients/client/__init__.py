"""I/O: sign, send, retry; settings and credentials; one client for many queries."""
