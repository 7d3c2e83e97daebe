//! msgpack, put together value by value.

/// Writes msgpack, each value in its shortest form but for floats, which have 64 bits.
///
/// Whoever begins an array or a map writes as many values behind it as it was said to have; nothing checks that.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Creates a writer that has written nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a writer that appends to what is there.
    pub fn append_to(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// What is written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Ends writing.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Writes nil.
    pub fn nil(&mut self) {
        self.out.push(0xc0);
    }

    /// Writes `true` or `false`.
    pub fn bool(&mut self, value: bool) {
        self.out.push(if value { 0xc3 } else { 0xc2 });
    }

    /// Writes an integer.
    pub fn int(&mut self, number: i64) {
        if let Ok(number) = u64::try_from(number) {
            return self.uint(number);
        }
        if number >= -32 {
            self.out.push(number as i8 as u8);
        } else if let Ok(number) = i8::try_from(number) {
            self.marked(0xd0, number.to_be_bytes());
        } else if let Ok(number) = i16::try_from(number) {
            self.marked(0xd1, number.to_be_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.marked(0xd2, number.to_be_bytes());
        } else {
            self.marked(0xd3, number.to_be_bytes());
        }
    }

    /// Writes an integer that is not negative.
    pub fn uint(&mut self, number: u64) {
        if number < 0x80 {
            self.out.push(number as u8);
        } else if let Ok(number) = u8::try_from(number) {
            self.marked(0xcc, number.to_be_bytes());
        } else if let Ok(number) = u16::try_from(number) {
            self.marked(0xcd, number.to_be_bytes());
        } else if let Ok(number) = u32::try_from(number) {
            self.marked(0xce, number.to_be_bytes());
        } else {
            self.marked(0xcf, number.to_be_bytes());
        }
    }

    /// Writes a float, also one that has no fraction.
    pub fn float(&mut self, number: f64) {
        self.marked(0xcb, number.to_be_bytes());
    }

    /// Writes a string.
    ///
    /// # Panics
    ///
    /// Panics if it has 4 GiB or more, for which there is no form.
    pub fn str(&mut self, text: &str) {
        match length(text.as_bytes()) {
            length @ 0..32 => self.out.push(0xa0 | length as u8),
            length => self.sized([0xd9, 0xda, 0xdb], length),
        }
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes a byte string.
    ///
    /// # Panics
    ///
    /// Panics if it has 4 GiB or more, for which there is no form.
    pub fn bin(&mut self, data: &[u8]) {
        self.sized([0xc4, 0xc5, 0xc6], length(data));
        self.out.extend_from_slice(data);
    }

    /// Begins an array of so many elements, which are written next.
    pub fn array(&mut self, count: u32) {
        self.counted(0x90, [0xdc, 0xdd], count);
    }

    /// Begins a map of so many entries, whose keys and values are written next, in turn.
    pub fn map(&mut self, count: u32) {
        self.counted(0x80, [0xde, 0xdf], count);
    }

    /// Writes a count: in the marker, or behind that of its form, of 2 or 4 bytes.
    fn counted(&mut self, small: u8, [medium, long]: [u8; 2], count: u32) {
        if count < 16 {
            self.out.push(small | count as u8);
        } else if let Ok(count) = u16::try_from(count) {
            self.marked(medium, count.to_be_bytes());
        } else {
            self.marked(long, count.to_be_bytes());
        }
    }

    fn marked<const N: usize>(&mut self, marker: u8, bytes: [u8; N]) {
        self.out.push(marker);
        self.out.extend_from_slice(&bytes);
    }

    /// Writes a length behind the marker of its form, of 1, 2 or 4 bytes.
    fn sized(&mut self, [short, medium, long]: [u8; 3], length: u32) {
        if let Ok(length) = u8::try_from(length) {
            self.marked(short, length.to_be_bytes());
        } else if let Ok(length) = u16::try_from(length) {
            self.marked(medium, length.to_be_bytes());
        } else {
            self.marked(long, length.to_be_bytes());
        }
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("msgpack holds less than 4 GiB in one string")
}
