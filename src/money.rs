//! Money: prices, caps and sums. Spends nothing.
