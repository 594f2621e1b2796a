"""A game day on real components: a small estate, its monitoring, five faults, and the proof."""
