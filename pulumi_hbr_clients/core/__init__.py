"""What is true without a network: no socket, clock, environment or randomness below here.

query → wire → signing → (api sends) → wire → listing → clients, with errors and pace beside them.
"""
