"""The gate for every entry point: what it waits for, how it polls and how it reports."""
