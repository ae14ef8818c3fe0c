"""Static files as production serves them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also gives hashed names to what the modules in `static/js/` import.

    Under its plain name a module would still come from the browser's cache after a release that changed it.
    Two modules must not import each other: each hash would wait for the other.
    """

    # Django's own switch for this, support_js_module_import_aggregation, reads the scripts of every package.
    # collectstatic then fails at a type comment in django-htmx, import("../htmx"), which names no file.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (
                    r'(?m)^(?P<matched>(?P<import>import [^"]*)"(?P<url>\.[^"]+)")',
                    '%(import)s"%(url)s"',
                ),
            ),
        ),
    )
