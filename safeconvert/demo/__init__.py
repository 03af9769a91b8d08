"""`safeconvert demo`: the main job on a small real model."""
