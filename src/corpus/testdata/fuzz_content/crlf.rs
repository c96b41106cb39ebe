/// Kept, with the line ends of another system.
pub fn halve(value: u64) -> u64 {   
    let text = "two  
lines";	
    value / text.lines().count() as u64
}


