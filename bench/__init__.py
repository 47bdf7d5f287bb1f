"""Measurements, as ratios within one run: machines are noisy, two things measured side by side are not."""
