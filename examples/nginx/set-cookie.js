// Takes Vestibule's cookies out of what a service answers: only Vestibule sets and clears them. For nginx's JavaScript module, which Debian
// has as libnginx-mod-http-js; nginx.conf says where it is turned on.

// What a lenient parser could take for one of ours: letters and digits of the name alone, in lower case. A cookie without a name counts by
// its value, since browsers cut off an empty name and send the rest.
function isOurs(line) {
    const claimed = line.split(';')[0].replace(/^[= \t]+/, '').split('=')[0];
    return /^(?:host)?(?:http)?vestibule(?:pre|device|access|refresh)?$/.test(claimed.replace(/[^A-Za-z0-9]/g, '').toLowerCase());
}

function withoutOurs(r) {
    const lines = r.headersOut['Set-Cookie'];
    if (lines && lines.some(isOurs)) {
        r.headersOut['Set-Cookie'] = lines.filter(line => !isOurs(line));
    }
}

export default { withoutOurs };
