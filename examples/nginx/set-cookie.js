// Takes Vestibule's cookies out of what a service answers: only Vestibule sets and clears them. For nginx's JavaScript module, which Debian
// has as libnginx-mod-http-js; nginx.conf says where it is turned on.

// Whether a name is read as ours by a program that folds case, or drops quotes, white space and what follows a bracket.
function readsLikeOurs(name) {
    const letters = name.split('[')[0].replace(/[^A-Za-z0-9]/g, '').toLowerCase();
    return /^(?:hosthttp)?vestibule(?:pre|device|access|refresh)?$/.test(letters);
}

// Whether a cookie is ours, or some program takes it for ours: it decodes escapes, looks past an empty name, or parts cookies at commas
// and white space as well.
function isOurs(line) {
    const pair = line.split(';')[0].replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    const first = pair.search(/[A-Za-z0-9]/);
    if (first >= 0 && readsLikeOurs(pair.slice(first).split('=')[0])) {
        return true;
    }
    // Each piece up to an equals sign ends with a name.
    return pair.split('=').slice(0, -1).some(piece => /[,\s]/.test(piece) && readsLikeOurs(piece.split(/[,\s]/).pop()));
}

function withoutOurs(r) {
    const lines = r.headersOut['Set-Cookie'];
    if (lines && lines.some(isOurs)) {
        r.headersOut['Set-Cookie'] = lines.filter(line => !isOurs(line));
    }
}

export default { withoutOurs };
