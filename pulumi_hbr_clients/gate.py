"""Door: `ActivationGate`, which holds back everything that depends on it until the selected clients are activated.

    program: inputs → task that waits in this process (see `waiting`) → record → a child that the engine reads

It waits in the program, not in the provider: the dynamic provider has four threads for all resources of a stack and
hears no Cancel. The child is a read resource whose id is known only once the gate has passed, so dependants of the
gate wait for it; its provider gives back the record it is handed and asks nobody, also in a refresh.

`ActivationRecordProvider` is pickled by reference: its module and name stand in users' state. Never rename them.
"""
