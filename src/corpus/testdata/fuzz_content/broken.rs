// Not Rust from the third line on.
pub fn begin() -> u32 {
    the quick brown fox ) jumps over ] the } lazy dog
    and (((( so on { until [ the
    end of = = all ; ; days
    fn fn impl for let match
}
} } ) ) ] ]
