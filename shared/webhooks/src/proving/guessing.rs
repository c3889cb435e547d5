//! Secrets that are easily guessed, and notes that a secret is still to be filled in.
//!
//! Each rule looks at the whole value, from its beginning to its end: a random value may hold any word somewhere inside.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::{collections::BTreeMap, sync::LazyLock};

/// Words that begin a note. The first word of a value must be one of them.
const NOTES: [&str; 18] = [
    "change",
    "dummy",
    "enter",
    "example",
    "fake",
    "fill",
    "fixme",
    "insert",
    "mock",
    "paste",
    "placeholder",
    "redacted",
    "replace",
    "sample",
    "test",
    "todo",
    "xxxx",
    "your",
];

/// Notes that are long enough to be no accident at the beginning of a value, with whatever comes after them.
const LONG_NOTES: [&str; 9] =
    ["changeit", "changeme", "example", "fixme", "placeholder", "redacted", "replaceme", "undefined", "yoursecret"];

/// The brackets around the name of something that was to be filled in.
const BRACKETS: [(&str, &str); 9] =
    [("<", ">"), ("{{", "}}"), ("${", "}"), ("[[", "]]"), ("__", "__"), ("{", "}"), ("[", "]"), ("(", ")"), ("%", "%")];

/// Words of which guessable values are made. None is made of hexadecimal digits alone, except alphabets and very short
/// ones.
const WORDS: &str = "
    abc abcd abcdef about acceptance access account acme admin administrator all amazon an and any api app
    application are as asdf asdfgh asdfghjkl at auth authentication authorization autumn aws azerty backend bank bar
    base baseball basic batman baz be bearer bit business byte callback can cannot certificate change changeit
    changeme character clave client cloud code common company complex config contrasena credential credit crypto
    customer data database default demo dev develop development digital do dragon dummy edge email encrypt encryption
    endpoint enter enterprise environment event example external fake finance fintech first fixme foo football for
    free freedom from gateway geheim generated generic global goes group guest hard hash have header hello here heslo
    hidden hmac hook http https iam identification identity iloveyou in incode initial insert integration internal
    international is it jwt key kyc lambda least letmein live local login long losenord make master me merchant mine
    mobile mock money monkey more motdepasse must my name need new no not notification notify now number oauth of ok
    old on onboarding one only open or our out owner parool partner pass passcode passphrase password
    passwort paste payment pin placeholder platform please portal preprod princess private prod product production
    project provider proxy public put pwd qa qwerty qwertyuiop qwertz random real redacted remote replace request
    root route safe salasana salt same sample sandbox save secret secure security senha server service session
    setting sha shadow shared should sign signature signing simple some spring stage staging start starwars store
    string strong stub summer sunshine super superman system team temp temporary test tester testing text that the
    there these this three to todo token top treezor trust trusted two uat unique unsafe url use user value variable
    verdict veriff verification verified verify version very wallet web webhook welcome whatever will winter with
    word world wultra xxx yes you your zero zxcvbn zxcvbnm
";

/// Characters that follow each other: the digits, the alphabet, and on keyboards the rows, the columns, and both in
/// turn.
const LINES: [&str; 25] = [
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik",
    "9ol",
    "1aqw",
    "2zsx",
    "!@#$%^&*()",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
];

/// Values that are printed as examples in many places, in lower case.
const EXAMPLES: [&str; 6] = [
    "123e4567-e89b-12d3-a456-426614174000",
    "550e8400-e29b-41d4-a716-446655440000",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "mfkq9r8gkyqrtwjupd8ilpzio2lalasw",
    "whsec_mfkq9r8gkyqrtwjupd8ilpzio2lalasw",
];

/// The fewest different characters of a value that isn't guessable.
const FEWEST_DIFFERENT: usize = 8;

/// The shortest value that may be repeated to make a longer one: the shortest secret.
const SHORTEST_UNIT: usize = 16;

/// The shortest word that needs no guessing at all.
const LONG: usize = 4;

/// The shortest part of a line that counts as one.
const SHORTEST_PART: usize = 3;

/// The most that is left to guess in a guessable value: each digit and each short word counts once, a letter as much as
/// [`LETTER`].
const MOST_TO_GUESS: usize = 8;

/// The points of a letter that belongs to no word.
const LETTER: usize = 4;

/// Returns whether a value is a note that a secret is still to be filled in: a template, or begun by such a word.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let plain: String = lower.chars().filter(|character| character.is_alphanumeric()).collect();
    let first = lower.split(|character: char| !character.is_alphanumeric()).find(|word| !word.is_empty());
    plain.is_empty()
        || plain == "tbd"
        || plain.starts_with("xxx") && plain.chars().all(|character| character == 'x')
        || is_template(&lower)
        || lower.starts_with("{{resolve:")
        || first.is_some_and(|word| NOTES.contains(&word))
        || LONG_NOTES.iter().any(|note| plain.starts_with(note))
}

/// Returns whether all of a text is in brackets, and is a name: in brackets of one character, or it may be an accident.
fn is_template(text: &str) -> bool {
    let is_name =
        |inner: &str| inner.chars().all(|character| character.is_alphabetic() || " _-.,:/…".contains(character));
    BRACKETS.iter().any(|(opening, closing)| {
        let inner = text.strip_prefix(opening).and_then(|rest| rest.strip_suffix(closing));
        inner.is_some_and(|inner| opening.len() > 1 && !opening.starts_with('_') || is_name(inner))
    })
}

/// Returns whether a value is easily guessed, or what it is an encoding of: few different characters, characters that
/// follow each other as in the alphabet or on a keyboard, a short unit repeated, nothing but common words and short
/// numbers, or an example that is printed in many places.
pub(crate) fn is_guessable(text: &str) -> bool {
    let lower = text.to_lowercase();
    has_few_different(text)
        || EXAMPLES.contains(&&*lower)
        || is_predictable(&lower)
        || decoded(text).iter().any(|bytes| are_guessable(bytes))
}

fn has_few_different(text: &str) -> bool {
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    different.len() < FEWEST_DIFFERENT
}

fn is_predictable(lower: &str) -> bool {
    let characters: Vec<char> = lower.chars().collect();
    let reversed: Vec<char> = lower.chars().rev().collect();
    is_run(&characters)
        || is_repeated(&characters)
        || is_of_words(&characters)
        || is_of_words(&reversed)
        || is_interleaved(&characters)
}

/// Returns whether three of four characters are the one before, or its neighbour in the alphabet or among the digits.
fn is_run(characters: &[char]) -> bool {
    let follows = |pair: &&[char]| u32::from(pair[0]).abs_diff(u32::from(pair[1])) <= 1;
    let following = characters.windows(2).filter(follows).count();
    following > 0 && following * 4 >= characters.len().saturating_sub(1) * 3
}

fn is_repeated(characters: &[char]) -> bool {
    let units = 1..(characters.len() / 2 + 1).min(SHORTEST_UNIT);
    let repeats = |unit: usize| characters.iter().skip(unit).zip(characters).all(|(later, earlier)| later == earlier);
    units.into_iter().any(repeats)
}

/// Returns whether each second character, and each one between, follow each other: `a1b2c3d4`.
fn is_interleaved(characters: &[char]) -> bool {
    let every_second = |from: usize| characters.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
    characters.len() >= SHORTEST_UNIT && [0, 1].iter().all(|from| left_to_guess(&every_second(*from)) == Some(0))
}

/// Returns whether a value is made of common words, lines and short numbers, so that little is left to guess.
fn is_of_words(characters: &[char]) -> bool {
    let length = characters.iter().filter(|character| character.is_alphanumeric()).count();
    left_to_guess(characters).is_some_and(|left| left <= MOST_TO_GUESS.min(length / 2))
}

/// Returns how much is left to guess in a value if the words and lines in it are known, and not much more than
/// [`MOST_TO_GUESS`] is.
fn left_to_guess(characters: &[char]) -> Option<usize> {
    let mut least: Vec<Option<usize>> = vec![None; characters.len() + 1];
    least[0] = Some(0);
    for start in 0..characters.len() {
        let Some(left) = least[start].filter(|left| *left <= MOST_TO_GUESS) else { continue };
        let rest = &characters[start..];
        let single = if rest[0].is_alphabetic() { LETTER } else { usize::from(rest[0].is_numeric()) };
        let words = words_at(rest).map(|length| (length, usize::from(length < LONG)));
        let parts = words.chain(lines_at(rest).map(|length| (length, 0)));
        for (length, cost) in parts.chain([(1, single)]) {
            let end = &mut least[start + length];
            *end = Some(end.map_or(left + cost, |known| known.min(left + cost)));
        }
    }
    least[characters.len()]
}

/// The words by their first letters.
static BY_LETTER: LazyLock<BTreeMap<char, Vec<&'static str>>> = LazyLock::new(|| {
    let mut words: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for word in WORDS.split_whitespace() {
        word.chars().next().into_iter().for_each(|letter| words.entry(letter).or_default().push(word));
    }
    words
});

/// The lengths of the words that a text begins with, each with and without an s at its end.
fn words_at(rest: &[char]) -> impl Iterator<Item = usize> {
    let begins = move |word: &str| {
        word.len() <= rest.len() && word.chars().zip(rest).all(|(letter, seen)| is_spelled(letter, *seen))
    };
    let words = BY_LETTER.iter().filter(|(letter, _)| is_spelled(**letter, rest[0])).flat_map(|(_, words)| words);
    let lengths = words.filter(move |word| begins(word)).map(|word| word.len());
    lengths
        .flat_map(move |length| [Some(length), rest.get(length).is_some_and(|next| *next == 's').then_some(length + 1)])
        .flatten()
}

/// Returns whether a character is a letter, or stands for it as in `p4ssw0rd`.
fn is_spelled(letter: char, seen: char) -> bool {
    letter == seen
        || match seen {
            '0' => letter == 'o',
            '1' | '!' => letter == 'i' || letter == 'l',
            '3' => letter == 'e',
            '4' | '@' => letter == 'a',
            '5' | '$' => letter == 's',
            '7' => letter == 't',
            _ => false,
        }
}

/// The lengths of the parts of lines that a text begins with, forwards or backwards, or of one character repeated.
fn lines_at(rest: &[char]) -> impl Iterator<Item = usize> {
    let common = |line: &mut dyn Iterator<Item = char>| line.zip(rest).take_while(|(one, other)| one == *other).count();
    let longest = |line: &&str| {
        let at = line.find(rest[0])?;
        Some(common(&mut line[at..].chars()).max(common(&mut line[..=at].chars().rev())))
    };
    let repeated = rest.iter().take_while(|character| **character == rest[0]).count();
    SHORTEST_PART..=LINES.iter().filter_map(longest).max().unwrap_or_default().max(repeated)
}

/// The bytes that a value is the hexadecimal form or the base64 of.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let unpadded = text.trim_end_matches('=');
    let candidates = [from_hex(text), STANDARD_NO_PAD.decode(unpadded).ok(), URL_SAFE_NO_PAD.decode(unpadded).ok()];
    candidates.into_iter().flatten().filter(|bytes| !bytes.is_empty()).collect()
}

/// Returns whether bytes are easily guessed: in order, repeated, or a text that is guessable. Random bytes are seldom
/// text.
fn are_guessable(bytes: &[u8]) -> bool {
    let characters: Vec<char> = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text: String = characters.iter().collect();
    let is_text = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _-.:".contains(byte));
    is_run(&characters)
        || is_repeated(&characters)
        || is_text && (is_placeholder(&text) || is_predictable(&text.to_lowercase()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hex;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn notes_are_known_by_how_they_begin() {
        for note in [
            "REPLACE_WITH_YOUR_SECRET",
            "replace-9bN4vR7tK2wQ5zX8",
            "example",
            "exampleSecret0123",
            "test-9bN4vR7tK2wQ5z",
            "Test 9bN4vR7tK2wQ5z",
            "TODO: from the portal",
            "FIXME9bN4vR7tK2wQ5z",
            "tbd",
            "***",
            "----------------",
            "…",
            "<secret>",
            "<the secret from the portal>",
            "{{resolve:x}}",
            "{{resolve:secretsmanager:verdict}}-and-more",
            "${SECRET}",
            "[[secret]]",
            "[your secret]",
            "{secret}",
            "%WEBHOOK_SECRET%",
            "__WEBHOOK_SECRET__",
            "your_secret_here",
            "your-secret-here",
            "YOUR-256-BIT-SECRET",
            "changeMe9bN4vR7tK2wQ5zX8",
            "CHANGE_ME",
            "__CHANGE_ME__",
            "xxxxx",
            "xxx-xxx-xxx",
            "xxxx-9bN4vR7tK2wQ5z",
        ] {
            assert!(is_placeholder(note), "{note}");
        }
        for value in [
            "9bN4vR7tK2wQ5zX8-test",
            "testing9bN4vR7tK2wQ5zX8",
            "9bN4-TODO-vR7tK2wQ5zX8",
            "9bN4{{vR7tK2wQ5zX8",
            "<9bN4vR7tK2wQ5zX8",
            "<9b#N4vR7!tK2wQ5z>",
            "{{9bN4vR7tK2wQ5zX8",
            "testamentum9bN4vR7t",
            "9b.tbd.N4vR7tK2wQ5zX8",
            "tbd-N4vR7tK2wQ5zX8",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn a_value_is_guessable_as_a_whole_or_not_at_all() {
        for value in [
            "0123456789abcdef",
            "fedcba9876543210",
            "abcdefghijklmnop",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "aabbccddeeffgghh",
            "passwordpassword",
            "my-webhook-secret",
            "MyWebhookSecret2026",
            "veriff-secret-key-2026",
            "super_secret_password_123",
            "treezor.webhook.secret.0123456789",
            "qwertyuiop-asdfghjkl",
            "9bN4vR7t9bN4vR7t9bN4vR7t",
            "11112222333344445555",
            "sharedSecretForWultra!",
            "12345678-1234-1234-1234-123456789012",
            "this-is-not-a-real-secret",
            "a-string-secret-at-least-256-bits-long",
            "the-secret-goes-here",
            "put-the-secret-here",
            "P4ssw0rd-P4ssw0rd!",
            "s3cr3t-w3bh00k-k3y",
            "terces-koohbew-ym",
            "WebhookSecretX9",
            "password-0000000001",
        ] {
            assert!(is_guessable(value), "{value}");
        }
        for value in [
            "9bN4vR7tK2wQ5zX8",
            "secret-9bN4vR7tK2wQ5zX8",
            "my-webhook-secret-48291048729",
            "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95",
            "correct horse battery staple",
            "password-correct-horse-battery",
            "bn4vr7tk2wq5zx8q",
        ] {
            assert!(!is_guessable(value), "{value}");
        }
    }

    #[test]
    fn a_walk_over_the_keyboard_is_guessable() {
        for value in [
            "1qaz2wsx3edc4rfv",
            "zaq12wsxcde34rfv",
            "qazwsxedcrfvtgby",
            "1q2w3e4r5t6y7u8i",
            "q1w2e3r4t5y6u7i8",
            "azertyuiopqsdfgh",
            "qwertzuiopasdfgh",
            "poiuytrewqlkjhgf",
            "!@#$%^&*()qwerty",
            "a1b2c3d4e5f6g7h8",
            "QWERTYuiop123456",
            "asdfghjkl;1234567",
        ] {
            assert!(is_guessable(value), "{value}");
        }
    }

    #[test]
    fn an_encoding_makes_nothing_random() {
        for plain in
            ["changeme-changeme", "my-webhook-secret", "0123456789abcdef", "passwordpassword", "your-secret-here"]
        {
            let hex = hex(plain.as_bytes());
            for value in [STANDARD.encode(plain), URL_SAFE_NO_PAD.encode(plain), hex.to_uppercase(), hex] {
                assert!(is_guessable(&value), "{value}");
            }
        }
        for value in ["YWJjZGVmZ2hpamtsbW5v", "000102030405060708090a0b0c0d0e0f", "AQIDBAUGBwgJCgsMDQ4PEA=="] {
            assert!(is_guessable(value), "{value}");
        }
        assert!(!is_guessable(&STANDARD.encode("9bN4vR7tK2wQ5zX8")));
    }

    #[test]
    fn examples_that_are_printed_everywhere_are_guessable() {
        for value in EXAMPLES {
            assert!(is_guessable(value) && is_guessable(&value.to_uppercase()), "{value}");
        }
    }

    #[test]
    fn the_words_are_in_order_and_none_is_an_accident_in_hexadecimal_digits() {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        assert!(words.is_sorted_by(|one, next| one < next), "{words:?}");
        let is_hex = |word: &&&str| word.len() > 2 && word.bytes().all(|letter| letter.is_ascii_hexdigit());
        assert_eq!(words.iter().filter(is_hex).collect::<Vec<_>>(), [&"abc", &"abcd", &"abcdef"]);
    }

    /// A generator of random secrets, and how many bytes of randomness it takes.
    type Generator = (&'static str, usize, fn(&[u8]) -> String);

    /// The characters of an alphabet that random bytes choose.
    fn chosen(alphabet: &str, bytes: &[u8]) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        bytes
            .chunks(2)
            .map(|two| alphabet[usize::from(u16::from_be_bytes([two[0], two[1]])) % alphabet.len()])
            .collect()
    }

    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    const BOTH: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const GRAPHIC: &str =
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

    fn uuid(bytes: &[u8]) -> String {
        let digits = hex(bytes);
        format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..32])
    }

    const GENERATORS: [Generator; 11] = [
        ("hex of 16 bytes", 16, hex),
        ("hex of 20 bytes", 20, hex),
        ("hex of 32 bytes", 32, hex),
        ("UUID", 16, uuid),
        ("base64 of 12 bytes", 12, |bytes| STANDARD.encode(bytes)),
        ("base64url of 16 bytes", 16, |bytes| URL_SAFE_NO_PAD.encode(bytes)),
        ("base64 of 32 bytes", 32, |bytes| STANDARD.encode(bytes)),
        ("16 letters and digits", 32, |bytes| chosen(BOTH, bytes)),
        ("24 letters and digits in lower case", 48, |bytes| chosen(LOWER, bytes)),
        ("16 characters of any sort", 32, |bytes| chosen(GRAPHIC, bytes)),
        ("20 letters in lower case", 40, |bytes| chosen(&LOWER[..26], bytes)),
    ];

    proptest! {
        // Each case has a secret of every sort. The million is below.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn random_secrets_are_neither_notes_nor_guessable(bytes in prop::collection::vec(any::<u8>(), 48)) {
            for (name, length, generate) in GENERATORS {
                let secret = generate(&bytes[..length]);
                prop_assert!(!is_placeholder(&secret) && !is_guessable(&secret), "{name}: {secret}");
            }
        }

        /// A word at either end, as some providers put it, makes a random value no less random.
        #[test]
        fn words_beside_a_random_secret_dont_matter(bytes in prop::collection::vec(any::<u8>(), 16), word in 0..300_usize) {
            let word = WORDS.split_whitespace().nth(word).unwrap();
            for secret in [format!("{word}_{}", hex(&bytes)), format!("{}-{word}", hex(&bytes))] {
                prop_assert!(!is_guessable(&secret), "{secret}");
            }
            let behind = format!("{}-{word}", hex(&bytes));
            prop_assert!(!is_placeholder(&behind), "{behind}");
        }
    }

    /// Of a million random secrets of each sort, at most a handful are refused. It takes minutes without optimisation:
    /// `cargo test --release --package verdict-webhooks --lib -- --ignored --nocapture of_a_million`.
    #[test]
    #[ignore = "takes minutes"]
    #[expect(clippy::print_stderr, reason = "the figures are for a person")]
    fn of_a_million_random_secrets_at_most_a_few_are_refused() {
        for (name, length, generate) in GENERATORS {
            let mut refused = 0;
            for number in 0..1_000_000_u32 {
                let random = [0_u8, 1].map(|half| Sha256::digest(format!("{name} {number} {half}"))).concat();
                let secret = generate(&random[..length]);
                refused += u32::from(is_placeholder(&secret) || is_guessable(&secret));
            }
            eprintln!("{name}: {refused} of 1000000");
            assert!(refused <= 5, "{name}: {refused}");
        }
    }
}
