"""The main job on real input: a volume, six people, real processes, and the kernel saying no."""
