//! Layers: settings from several sources, the strongest wins, each with its origin.
