"""DescribeBackupClients on the wire, without I/O: encoding, signing, paging, endpoints, rate limit."""
