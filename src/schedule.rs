//! Schedule: state of a goal and which goes next, computed from facts. Acts on nothing.
