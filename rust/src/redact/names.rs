//! Which field names say that their value is a secret: the rule of `siftpack.redact.names`.

use super::pairs::Pairs;
use crate::ffi::{Obj, Text, text};

const ENDINGS: &[&str] = &[
    // passwords
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pgpassword",
    "password1",
    "password2",
    "password_confirmation",
    "password_hash",
    "password_digest",
    "db_pass",
    "smtp_pass",
    "user_pass",
    // secrets
    "secret",
    "secrets",
    "secret_string",
    "secret_text",
    "secret_value",
    "clientsecret",
    "credential",
    "credentials",
    "creds",
    // keys
    "api_key",
    "api_keys",
    "apikey",
    "apikeys",
    "access_key",
    "access_keys",
    "accesskey",
    "secret_key",
    "secret_keys",
    "secretkey",
    "private_key",
    "private_keys",
    "privatekey",
    "private_key_pem",
    "signing_key",
    "encryption_key",
    "decryption_key",
    "hmac_key",
    "fernet_key",
    "auth_key",
    "storage_account_key",
    "apim_subscription_key",
    "service_account_key",
    "service_account_json",
    "service_account_info",
    "openai_key",
    "anthropic_key",
    // tokens
    "access_token",
    "access_tokens",
    "accesstoken",
    "refresh_token",
    "refresh_tokens",
    "refreshtoken",
    "auth_token",
    "auth_tokens",
    "authtoken",
    "api_token",
    "api_tokens",
    "bearer_token",
    "session_token",
    "id_token",
    "oauth_token",
    "secret_token",
    "security_token",
    "jwt_token",
    "csrf_token",
    "xsrf_token",
    "sas_token",
    "bot_token",
    "github_token",
    "gitlab_token",
    "slack_token",
    "discord_token",
    "telegram_token",
    "hf_token",
    "npm_token",
    "pypi_token",
    "vault_token",
    // what a request carries
    "authorization",
    "authorization_header",
    "auth_header",
    "auth_headers",
    "basic_auth",
    "http_auth",
    "cookie",
    "cookies",
    "client_assertion",
    "shared_access_signature",
    // whole connections, and what brings an account back
    "connection_string",
    "connection_str",
    "conn_string",
    "seed_phrase",
    "recovery_code",
    "recovery_codes",
    "backup_codes",
];
const WHOLE: &[&str] = &["token", "bearer", "jwt"];
const LONGEST: usize = 128;
/// Names are split into words, so at worst each of their characters has a separator before it.
type Words = [u8; 2 * LONGEST];

/// Endings, then whole names, by their last two letters.
static BY_END: Pairs<{ ENDINGS.len() + WHOLE.len() }> = {
    let (mut pairs, mut row) = (Pairs::new(), 0);
    while row < ENDINGS.len() + WHOLE.len() {
        let name = if row < ENDINGS.len() { ENDINGS[row] } else { WHOLE[row - ENDINGS.len()] }.as_bytes();
        pairs.add(name[name.len() - 2], name[name.len() - 1]);
        row += 1;
    }
    pairs
};

/// `secret_name` of a name in bytes, where those beyond ASCII are no letters.
pub fn secret_bytes(name: &[u8]) -> bool {
    let mut ascii = [b'_'; LONGEST];
    fill(&mut ascii, name.iter().map(|byte| u32::from(*byte))).is_some_and(|length| is_secret(&ascii[..length]))
}

/// True if a field of this name holds a secret by its name alone.
pub fn secret_name(name: Obj) -> bool {
    let mut ascii = [b'_'; LONGEST];
    let length = match text(name) {
        Text::Utf8(bytes) if bytes.is_ascii() => fill(&mut ascii, bytes.iter().map(|byte| u32::from(*byte))),
        Text::Utf8(bytes) => {
            let characters = core::str::from_utf8(bytes).unwrap_or_default();
            fill(&mut ascii, characters.chars().map(u32::from))
        }
        Text::One(bytes) => fill(&mut ascii, bytes.iter().map(|byte| u32::from(*byte))),
        Text::Two(units) => fill(&mut ascii, units.iter().map(|unit| u32::from(*unit))),
        Text::Four(points) => fill(&mut ascii, points.iter().copied()),
    };
    length.is_some_and(|length| is_secret(&ascii[..length]))
}

/// ASCII letters and digits as they are, anything else an underscore; None if the name is too long.
#[expect(clippy::cast_possible_truncation, reason = "checked to be ASCII")]
fn fill(ascii: &mut [u8; LONGEST], points: impl Iterator<Item = u32>) -> Option<usize> {
    let mut length = 0;
    for point in points {
        let slot = ascii.get_mut(length)?;
        if point < 128 && (point as u8).is_ascii_alphanumeric() {
            *slot = point as u8;
        }
        length += 1;
    }
    Some(length)
}

fn is_secret(name: &[u8]) -> bool {
    let end = name.iter().rposition(|byte| *byte != b'_').unwrap_or(0);
    let lower = |at: Option<usize>| at.and_then(|at| name.get(at)).map_or(0, u8::to_ascii_lowercase);
    let mut rows = BY_END.rows(lower(end.checked_sub(1)), lower(Some(end))).peekable();
    if rows.peek().is_none() {
        return false;
    }
    let mut space = [0; 2 * LONGEST];
    let words = words(name, &mut space);
    rows.any(|row| match ENDINGS.get(row) {
        Some(ending) => {
            words.strip_suffix(ending.as_bytes()).is_some_and(|head| head.last().is_none_or(|byte| *byte == b'_'))
        }
        None => WHOLE.get(row - ENDINGS.len()).is_some_and(|whole| words == whole.as_bytes()),
    })
}

/// The words of a name, lower case, joined by underscores.
fn words<'a>(name: &[u8], space: &'a mut Words) -> &'a [u8] {
    let mut size = 0;
    let mut part = |byte: u8| {
        let separates = byte == b'_';
        if !separates || (size > 0 && space[size - 1] != b'_') {
            space[size] = byte.to_ascii_lowercase();
            size += 1;
        }
    };
    for (at, byte) in name.iter().enumerate() {
        if byte.is_ascii_uppercase() && at > 0 {
            let after = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            if !name[at - 1].is_ascii_uppercase() || after {
                part(b'_');
            }
        }
        part(*byte);
    }
    space[..size].strip_suffix(b"_").unwrap_or(&space[..size])
}
