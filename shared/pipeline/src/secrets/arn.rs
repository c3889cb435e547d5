//! The ARN of a secret. It says which region the secret is in.

/// The ARN of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretArn(String);

impl SecretArn {
    /// Reads an ARN such as `arn:aws:secretsmanager:eu-west-1:123456789012:secret:verdict/veriff-AbCdEf`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "secretsmanager", region, account, "secret", name] = parts[..] else { return None };
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
        (partition.starts_with("aws") && is_word(partition) && is_word(region) && is_account && is_name)
            .then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that the secret is in, which may be another one than the function's.
    pub(crate) fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_secret_says_its_region() {
        for (text, region) in [
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:verdict/veriff-AbCdEf", "eu-west-1"),
            ("arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a+b=c.d@e_f", "us-gov-west-1"),
            ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x", "cn-north-1"),
        ] {
            let arn = SecretArn::parse(text).unwrap();
            assert_eq!((arn.as_str(), arn.region()), (text, region));
        }
    }

    #[test]
    fn every_other_text_is_none() {
        for text in [
            "",
            "verdict/veriff",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a:b",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a b",
            " arn:aws:secretsmanager:eu-west-1:123456789012:secret:a",
            "arn:aws:secretsmanager:eu-west-1:12345678901:secret:a",
            "arn:aws:secretsmanager::123456789012:secret:a",
            "arn:aws:secretsmanager:EU-WEST-1:123456789012:secret:a",
            "arn:other:secretsmanager:eu-west-1:123456789012:secret:a",
            "arn:aws:ssm:eu-west-1:123456789012:parameter:a",
            r#"{"secrets":["abcdef12-abcd-abcd-abcd-abcdef012345"]}"#,
        ] {
            assert_eq!(SecretArn::parse(text), None, "{text}");
        }
    }
}
