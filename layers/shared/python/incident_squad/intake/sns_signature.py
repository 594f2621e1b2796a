"""The arithmetic of SNS's signatures: RSA over SHA-1 (version 1) or SHA-256 (version 2)."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# Version 1 is SHA-1, and still what a topic uses unless its owner asks for better.
_VERSIONS: dict[str, hashes.HashAlgorithm] = {
    "1": hashes.SHA1(),  # noqa: S303
    "2": hashes.SHA256(),
}


def verified(certificate: bytes, signature: bytes, signed: bytes, version: str) -> bool:
    """Whether the signature is by the certificate's key (PEM); False for any garbage."""
    digest = _VERSIONS.get(version)
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        if digest is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True
