use textkit::wrap::{indent, pad_right, wrap};

#[test]
fn long_words_stand_alone() {
    assert_eq!(wrap("a incomprehensibilities b", 5), ["a", "incomprehensibilities", "b"]);
}

#[test]
fn nothing_gives_no_lines() {
    assert!(wrap("   ", 10).is_empty());
    assert_eq!(indent(&[], "> "), "");
}

#[test]
fn padding_counts_characters() {
    assert_eq!(pad_right("äö", 4), "äö  ");
}
