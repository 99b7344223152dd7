"""Which field names say that their value is a secret.

Names are split into words (``apiKey``, ``API-KEY`` and ``api_key`` are the same two) and matched by whole words at
the end, so ``openai_api_key`` is one and ``input_tokens``, ``tokenizer`` and ``secretary`` are not.
"""

ENDINGS = (
    # passwords
    "password passwords passwd passphrase passcode pwd pgpassword password1 password2 password_confirmation "
    "password_hash password_digest db_pass smtp_pass user_pass "
    # secrets
    "secret secrets secret_string secret_text secret_value clientsecret credential credentials creds "
    # keys
    "api_key api_keys apikey apikeys access_key access_keys accesskey secret_key secret_keys secretkey "
    "private_key private_keys privatekey private_key_pem signing_key encryption_key decryption_key hmac_key "
    "fernet_key auth_key storage_account_key apim_subscription_key service_account_key service_account_json "
    "service_account_info openai_key anthropic_key "
    # tokens
    "access_token access_tokens accesstoken refresh_token refresh_tokens refreshtoken auth_token auth_tokens "
    "authtoken api_token api_tokens bearer_token session_token id_token oauth_token secret_token security_token "
    "jwt_token csrf_token xsrf_token sas_token bot_token github_token gitlab_token slack_token discord_token "
    "telegram_token hf_token npm_token pypi_token vault_token "
    # what a request carries
    "authorization authorization_header auth_header auth_headers basic_auth http_auth cookie cookies "
    "client_assertion shared_access_signature "
    # whole connections, and what brings an account back
    "connection_string connection_str conn_string seed_phrase recovery_code recovery_codes backup_codes"
).split()
WHOLE = ("token", "bearer", "jwt")

_TAILS = tuple(f"_{ending}" for ending in ENDINGS)


def words(name: str) -> str:
    """The words of an ASCII name, lower case, joined by underscores."""
    out: list[str] = []
    for at, char in enumerate(name):
        if not ("a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9"):
            out.append("_")
            continue
        if "A" <= char <= "Z" and at:
            before, after = name[at - 1], name[at + 1 : at + 2]
            if not "A" <= before <= "Z" or "a" <= after <= "z":
                out.append("_")
        out.append(char.lower())
    return "_".join(word for word in "".join(out).split("_") if word)


def secret_name(name: str) -> bool:
    """True if a field of this name holds a secret by its name alone."""
    if len(name) > 128:
        return False
    split = words(name)
    return split in WHOLE or f"_{split}".endswith(_TAILS)
