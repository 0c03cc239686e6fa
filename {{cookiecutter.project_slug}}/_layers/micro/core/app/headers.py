"""The security headers of every answer: https://secure.readthedocs.io/"""

from secure import (
    ContentSecurityPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

from app.environment import environment

SECURITY_HEADERS = Secure(
    csp=ContentSecurityPolicy()
    .default_src("'self'")
    .img_src("'self'", "data:")
    .style_src("'self'", "'unsafe-inline'")
    .frame_ancestors("'none'")
    .base_uri("'none'")
    .form_action("'self'"),
    hsts=StrictTransportSecurity().max_age(31_536_000).include_subdomains() if environment.production else None,
    referrer=ReferrerPolicy().same_origin(),
    xcto=XContentTypeOptions().nosniff(),
    xfo=XFrameOptions().deny(),
).headers
