"""The main job on real input: a volume, seven people, real processes, and the kernel saying no.

``cast`` has the people and documents, ``story`` what is tried and expected. Two sites can play it: ``live`` on a real
agent, ``rehearsal`` in user space with the same rules. ``stage`` and ``actors`` serve the tests and the bench as well.
"""
