//! Slots: fixed folders outside the repository where checks run. Updated in place, so caches stay warm.
