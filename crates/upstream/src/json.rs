//! JSON from outside, made readable.

/// Replaces by U+FFFD whatever in JSON text cannot stand in a Rust string: halves of surrogate pairs in
/// escapes, which programs leave that cut texts by UTF-16 units (`"Vinyl \ud83d"`), and bytes that are no
/// UTF-8. All else stays as it is, byte for byte.
///
/// `serde_json` refuses either, and with it the whole text. It reads a half into bytes alone, which neither its
/// `Value` nor a `String` in a type asks for.
#[must_use]
pub fn readable_json(json: Vec<u8>) -> Vec<u8> {
    let mut json = match String::from_utf8(json) {
        Ok(text) => text.into_bytes(),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into_bytes(),
    };
    replace_lone_surrogates(&mut json);
    json
}

/// Replaces, in JSON text, each escape of half a surrogate pair by that of U+FFFD, which is as long. Takes
/// one pass and allocates nothing.
pub fn replace_lone_surrogates(json: &mut [u8]) {
    let mut place = 0;
    while let Some(rest) = json.get(place..) {
        // In JSON, a backslash is nowhere but in a text, where it always begins an escape.
        let Some(offset) = rest.iter().position(|&byte| byte == b'\\') else { return };
        place += offset;
        place += match utf16_unit(json, place) {
            Some(0xD800..=0xDBFF) if matches!(utf16_unit(json, place + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                json[place + 2..place + 6].copy_from_slice(b"fffd");
                6
            }
            Some(_) => 6,
            // The next byte belongs to the escape, a second backslash as well.
            None => 2,
        };
    }
}

/// Returns the unit that the escape `\uXXXX` at this place stands for; `None` where there is no such escape.
fn utf16_unit(json: &[u8], place: usize) -> Option<u16> {
    let digits = json.get(place..place + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit: u16, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn mended(json: &str) -> String {
        String::from_utf8(readable_json(json.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_nothing_else() {
        for (json, expected) in [
            (r#""Vinyl \ud83d""#, r#""Vinyl \ufffd""#),
            (r#""\uD83D!""#, r#""\ufffd!""#),
            (r#""\ude00""#, r#""\ufffd""#),
            // The low one first.
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\ude00\ude00""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud83d\n\ude00""#, r#""\ufffd\n\ufffd""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\\ude00""#, r#""\ufffd\\ude00""#),
            (r#"{"\udbff":["\udc00"]}"#, r#"{"\ufffd":["\ufffd"]}"#),
        ] {
            assert_eq!(mended(json), expected, "{json}");
            serde_json::from_str::<Value>(expected).unwrap();
        }
        for whole in [
            r#""\ud83d\ude00 \uD83D\uDE00""#,
            // No escape of a surrogate: a backslash, and some letters.
            r#""\\ud83d""#,
            r#""\\\\ud83d \\\ud83d\ude00""#,
            r#""\ud7ff\ue000\u0000\"\/""#,
            "{}",
            "",
        ] {
            assert_eq!(mended(whole), whole);
        }
        assert_eq!(mended(r#""\\\ud83d""#), r#""\\\ufffd""#);
    }

    #[test]
    fn what_is_cut_off_or_no_json_is_looked_at_without_harm() {
        for odd in [
            "\\",
            "\\u",
            "\\ud83",
            "\\ud83d",
            "\"\\ud83d\\",
            "\\ud83d\\u",
            "\\ud83d\\ude0",
            "\\uzzzz",
            "\\u+123",
        ] {
            let length = mended(odd).len();
            assert_eq!(length, odd.len(), "{odd}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        let read = |json: &[u8]| serde_json::from_slice::<String>(&readable_json(json.to_vec())).unwrap();
        assert_eq!(read(b"\"caf\xe9\""), "caf\u{fffd}");
        assert_eq!(read(b"\"\xf0\x9f\x8e\""), "\u{fffd}");
        // Half a pair, as the encoding of UTF-16's units one by one has it.
        assert_eq!(read(b"\"\xed\xa0\xbd\""), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(read("\"🎨 \\ud83d\"".as_bytes()), "🎨 \u{fffd}");
    }

    /// Makes any JSON, with all kinds of characters.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            r"[\\u0-9a-fd\u{1F3A8}]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Writes JSON as Meta does: everything beyond ASCII as escapes of UTF-16's units.
    fn escaped(json: &Value) -> String {
        let mut text = String::new();
        for character in json.to_string().chars() {
            match character {
                '\0'..='\x7f' => text.push(character),
                _ => character
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
            }
        }
        text
    }

    fn many<T: Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
        prop::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn valid_json_stays_as_it_is(json in any_json()) {
            for text in [json.to_string(), escaped(&json)] {
                prop_assert_eq!(&mended(&text), &text);
                prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &json);
            }
        }

        /// Texts of any UTF-16 units, of which most are halves.
        #[test]
        fn any_units_can_be_read(units in many(prop_oneof![any::<u16>(), 0xD7FE..0xE002_u16])) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04X}")).collect();
            let read: String = serde_json::from_str(&mended(&format!("\"{escapes}\""))).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        /// Reading escapes that are cut at any place comes to an end, and a second time changes nothing more.
        #[test]
        fn any_bytes_come_out_as_utf_8(
            bytes in many(prop_oneof![any::<u8>(), Just(b'\\'), Just(b'u'), Just(b'd')]),
        ) {
            let once = readable_json(bytes);
            prop_assert!(String::from_utf8(once.clone()).is_ok());
            prop_assert_eq!(readable_json(once.clone()), once);
        }
    }
}
