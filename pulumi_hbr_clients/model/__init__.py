"""Values and rules, without I/O: the query, its validation, the clients and what an entry point makes of a list."""
