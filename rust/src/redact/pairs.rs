//! Rows of a table by two bytes that lead to them: most text is dismissed by one look.

/// The rows of a table with `N` of them, at most 255.
pub struct Pairs<const N: usize> {
    /// One more than the last row with such a pair; zero if there is none.
    last: [u8; 4096],
    /// The same of the row with the same pair before each row.
    before: [u8; N],
    count: u8,
}

impl<const N: usize> Pairs<N> {
    /// An empty table.
    pub const fn new() -> Self {
        Self { last: [0; 4096], before: [0; N], count: 0 }
    }

    /// Adds the next row under its pair.
    pub const fn add(&mut self, first: u8, second: u8) {
        let slot = slot(first, second);
        self.before[self.count as usize] = self.last[slot];
        self.count += 1;
        self.last[slot] = self.count;
    }

    /// The rows with such a pair, and perhaps some with another.
    #[inline(always)]
    pub fn rows(&self, first: u8, second: u8) -> impl Iterator<Item = usize> {
        let row = |row: u8| usize::from(row).checked_sub(1);
        core::iter::successors(row(self.last[slot(first, second)]), move |each| row(self.before[*each]))
    }
}

#[inline(always)]
const fn slot(first: u8, second: u8) -> usize {
    ((first & 63) as usize) << 6 | (second & 63) as usize
}
