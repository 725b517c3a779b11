"""Demo: a volume, seven people, real processes, and accesses that the kernel denies.

``cast`` has the people and documents, ``story`` the attempts and expectations. Two sites can play it: ``live`` on a
real agent, ``rehearsal`` in user space with the same rules. The tests and the bench use ``stage`` and ``actors`` too.
"""
