# Alle Texte der Seiten auf Deutsch.

## Jede Seite

title-error = Fehler: { $title }
cancel = Abbrechen
link-help = Hilfe
link-privacy = Datenschutz
link-imprint = Impressum
reload = Neu laden
back = Zurück
sign-in = Anmelden
sign-out = Abmelden
incident = Wenn das anhält, melden Sie bitte den Vorfall { $incident }.

## Felder der Formulare

field-identifier = E-Mail-Adresse oder Benutzername
field-password = Passwort
field-current-password = Aktuelles Passwort
field-new-identifier = Neue E-Mail-Adresse oder neuer Benutzername
field-new-password = Neues Passwort
field-repeat-password = Passwort wiederholen
field-repeat-new-password = Neues Passwort wiederholen
# Auf einer Schaltfläche neben einem Passwort; der Name des Feldes wird danach vorgelesen.
show-password = Anzeigen
field-signed-in-as = Angemeldet als
password-hint =
    Mindestens { $min } Zeichen. Gut sind ein paar Wörter, die nur Sie so zusammenstellen würden; Ziffern und Sonderzeichen sind nicht nötig.

## Anmelden

login-title = Anmelden
login-remember = Auf diesem Gerät angemeldet bleiben
login-remember-hint = { $idle } ohne Besuch, höchstens { $absolute }. Nur auf einem Gerät, das niemand sonst benutzt.
login-new-here = Neu hier?
login-register = Konto erstellen

signed-in-title = Angemeldet
signed-in-heading = Sie sind angemeldet
signed-in-who = als { $identifier }
signed-in-continue = Weiter

## Abmelden

logout-title = Abmelden
logout-heading = Abmelden?
logout-who = Sie sind als { $identifier } angemeldet. Die Abmeldung gilt sofort und in allen Bereichen dieser Website.
logout-stay = Angemeldet bleiben
signed-out-title = Abgemeldet
signed-out-heading = Sie sind abgemeldet
signed-out-text = In diesem Browser sind Sie nicht angemeldet.

## Konto erstellen

register-title = Konto erstellen
register-submit = Konto erstellen
register-have-account = Sie haben schon ein Konto?

## Ihr Konto

account-title = Ihr Konto
account-who = Sie sind als { $identifier } angemeldet.
account-change-password = Passwort ändern
account-change-identifier = E-Mail-Adresse oder Benutzernamen ändern
account-sessions = Wo Sie angemeldet sind
account-this-one = dieses Gerät
account-app = App
account-remembered = bleibt angemeldet
account-address = Adresse
account-address-unknown = unbekannt
account-last-seen = Zuletzt gesehen
account-now = jetzt
account-opened = Angemeldet
account-ends = Endet spätestens
account-newest =
    { $count ->
        [one] Nur die neueste wird angezeigt.
       *[other] Die neuesten { $count } werden angezeigt.
    }
account-end-others = Überall sonst abmelden

device-browser-on-system = { $browser } auf { $system }
device-some-browser = Ein Browser auf { $system }
device-unknown = Unbekanntes Gerät

## E-Mail-Adresse oder Benutzernamen ändern

identifier-title = E-Mail-Adresse oder Benutzernamen ändern
identifier-what-changes = Danach melden Sie sich mit dem neuen Namen an. Ihre Geräte bleiben angemeldet. Den alten Namen können dann andere verwenden.

## Passwort ändern

password-title = Passwort ändern
password-others-end = Dabei werden alle anderen Geräte abgemeldet.

## Passwort bestätigen

confirm-title = Passwort bestätigen
confirm-why = Bevor es weitergeht: Ihre Anmeldung liegt eine Weile zurück. Bitte geben Sie Ihr Passwort noch einmal ein.
confirm-why-end = Abzumeldendes Gerät: { $device }. Ihre Anmeldung liegt eine Weile zurück. Bitte geben Sie Ihr Passwort noch einmal ein.
confirm-why-end-others = Überall sonst abmelden: Ihre Anmeldung liegt eine Weile zurück. Bitte geben Sie Ihr Passwort noch einmal ein.
confirm-that-device = das gewählte
confirm-submit = Bestätigen
confirm-submit-end = Bestätigen und abmelden
confirm-submit-end-others = Bestätigen und überall sonst abmelden

## Was gerade getan wurde

notice-confirmed = Danke. In den nächsten Minuten werden Sie nicht noch einmal gefragt.
notice-cookies-deleted = Die Cookies dieser Website wurden in diesem Browser gelöscht. Sie können sich wieder anmelden.
notice-identifier-changed = Ihre E-Mail-Adresse oder Ihr Benutzername ist geändert. Melden Sie sich ab jetzt damit an.
notice-nothing-to-end = Dieses Gerät war schon abgemeldet.
notice-not-sent = Sie waren abgemeldet, deshalb wurde Ihr Formular nicht ausgeführt. Melden Sie sich an, um zurückzukehren und es noch einmal zu senden.
notice-others-ended = Alle anderen Geräte sind abgemeldet. Nur dieses ist noch angemeldet.
notice-password-changed = Ihr Passwort ist geändert. Alle anderen Geräte sind abgemeldet.
# Gilt, ob es ein Konto dieses Namens schon gab oder nicht. Der Text darf nicht verraten, was zutrifft.
notice-registered = Sie können sich jetzt anmelden. Falls Sie unter diesem Namen schon ein Konto hatten, ist es unverändert und hat sein bisheriges Passwort.
notice-session-ended = Das Gerät ist abgemeldet.

## Hinweise, die vor dem nächsten Schritt wichtig sind

alert-throttled-title = Zu viele Versuche
alert-throttled-text = Bitte warten Sie { $wait } bis zum nächsten Versuch.
# Ein Text für falschen Namen, falsches Passwort, unbekanntes und gesperrtes Konto.
alert-login-refused-title = Das hat nicht geklappt
alert-login-refused-text = E-Mail-Adresse, Benutzername oder Passwort stimmt nicht. Bitte prüfen Sie die Angaben und versuchen Sie es noch einmal.
alert-password-wrong-title = Das hat nicht geklappt
alert-password-wrong-text = Das Passwort stimmt nicht. Bitte versuchen Sie es noch einmal.
alert-current-wrong-title = Ihr Passwort wurde nicht geändert
alert-current-wrong-text = Das aktuelle Passwort stimmt nicht. Bitte füllen Sie alle Felder noch einmal aus.
alert-identifier-kept-title = Ihre E-Mail-Adresse oder Ihr Benutzername wurde nicht geändert
alert-identifier-kept-text = Das aktuelle Passwort stimmt nicht. Bitte geben Sie es noch einmal ein.
alert-not-repeated-title = Die neuen Passwörter sind verschieden
alert-not-repeated-text = Bitte geben Sie zweimal dasselbe neue Passwort ein.
alert-identifier-title = Dieser Name ist hier nicht möglich
alert-identifier-text = Nehmen Sie eine E-Mail-Adresse oder einen Namen aus höchstens 254 gewöhnlichen Zeichen.
alert-identifier-taken-title = Dieser Name ist vergeben
alert-identifier-taken-text = Ein anderes Konto hat ihn. Bitte wählen Sie einen anderen Namen.
alert-policy-title = Bitte wählen Sie ein anderes Passwort
alert-policy-common = Das ist eines der Passwörter, die andere zuerst ausprobieren würden, vielleicht mit einem Zusatz oder wiederholt. Wählen Sie eines, das nicht auf einem häufigen Passwort aufbaut.
alert-policy-contextual = Dieses Passwort besteht aus Ihrem Namen, Ihrer Adresse oder dem Namen dieser Website. Wählen Sie eines, das nichts damit zu tun hat.
alert-policy-too-long = Nehmen Sie höchstens { $max } Zeichen.
alert-policy-too-short = Nehmen Sie mindestens { $min } Zeichen. Ein paar Wörter, die nichts miteinander zu tun haben, sind ein gutes Passwort.
alert-cookies-needed-title = Cookies werden gebraucht
alert-cookies-needed-text = Ihr Browser hat kein Cookie gesendet. Erlauben Sie Cookies für diese Website und geben Sie Ihr Passwort noch einmal ein. Wenn sie erlaubt sind, war diese Seite nur zu lange offen.
alert-expired-title = Diese Seite war zu lange offen
alert-expired-login = Sie wurden nicht angemeldet. Geben Sie Ihr Passwort noch einmal ein, dann geht es weiter.
alert-expired-logout = Sie sind noch angemeldet. Drücken Sie noch einmal auf „Abmelden“.
alert-expired-register = Es wurde kein Konto erstellt. Bitte geben Sie Ihr Passwort noch einmal ein.
alert-expired-account = Es wurde nichts getan. Bitte drücken Sie noch einmal auf die Schaltfläche.
alert-expired-confirm = Es wurde nichts getan. Bitte geben Sie Ihr Passwort noch einmal ein.
alert-expired-identifier = Ihre E-Mail-Adresse oder Ihr Benutzername wurde nicht geändert. Bitte geben Sie Ihr Passwort noch einmal ein.
alert-expired-password = Ihr Passwort wurde nicht geändert. Bitte füllen Sie alle Felder noch einmal aus.
alert-no-login-title = Zurzeit kann sich niemand anmelden
alert-no-account-title = Zurzeit können keine Konten erstellt werden
alert-unavailable-text = An Ihrem Passwort lag es nicht. Versuchen Sie es gleich noch einmal. Wenn das anhält, melden Sie bitte den Vorfall { $incident }.

## Cookies, die einander widersprechen

conflict-title = Widersprüchliche Cookies
conflict-heading = Ihr Browser hat widersprüchliche Cookies gesendet
conflict-why-title = Damit können Sie nicht angemeldet werden
conflict-why = Eine andere Website dieser Domain hat ein Cookie gesetzt, das mit dem Cookie Ihrer Anmeldung verwechselt werden kann. Löschen Sie die Cookies und melden Sie sich dann an.
conflict-submit = Cookies löschen
conflict-hint = Das löscht die Cookies aller Websites dieser Domain. Vielleicht müssen Sie sich auch dort neu anmelden.
conflict-again = Wenn diese Seite wieder erscheint, löschen Sie die Cookies dieser Domain in den Einstellungen Ihres Browsers.

## Wenn eine Anfrage nicht beantwortet werden kann

problem-account = Zu Ihrem Konto
problem-body-too-large-title = Das war zu viel
problem-body-too-large-text = Die Anfrage ist größer als alles, was hier erwartet wird.
problem-body-too-slow-title = Das hat zu lange gedauert
problem-body-too-slow-text = Die Anfrage kam nicht rechtzeitig an. Bitte versuchen Sie es noch einmal.
problem-unavailable-title = Das lässt sich gerade nicht prüfen
problem-unavailable-text = Ein Teil dieser Website hat nicht geantwortet. Bitte versuchen Sie es gleich noch einmal.
problem-malformed-title = Das konnten wir nicht lesen
problem-malformed-text = Ihr Browser hat etwas gesendet, das diese Seite nicht versteht. Gehen Sie zurück und versuchen Sie es noch einmal.
problem-method-title = So geht das hier nicht
problem-method-text = Ihr Browser hat diese Seite auf eine Weise angefragt, die hier nicht möglich ist. Gehen Sie zurück und versuchen Sie es noch einmal.
problem-not-found-title = Hier ist nichts
problem-not-found-text = Vielleicht ist die Adresse falsch geschrieben, oder die Seite ist umgezogen.
problem-unsupported-title = Das gibt es hier nicht
problem-unsupported-text = Diese Website bietet nicht an, was angefragt wurde.
problem-foreign-title = Diese Anfrage kam von anderswo
problem-foreign-text = Sie wurde nicht von einer Seite dieser Website gesendet. Deshalb wurde nichts getan.
problem-expired-title = Diese Seite ist abgelaufen
problem-expired-text = Es wurde nichts getan. Laden Sie die Seite neu und versuchen Sie es noch einmal.
problem-two-credentials-title = Zwei Anmeldungen zugleich
problem-two-credentials-text = Die Anfrage enthält mehr als eine Anmeldung und wurde deshalb abgelehnt.
problem-not-signed-in-title = Nicht angemeldet
problem-not-signed-in-text = Bitte melden Sie sich an, um fortzufahren.
problem-signed-out-title = Abgemeldet
problem-signed-out-text = Ihre Sitzung ist ungültig oder beendet. Bitte melden Sie sich noch einmal an.
problem-confirm-title = Bitte bestätigen Sie Ihr Passwort
problem-confirm-text = Dafür müssen Sie Ihr Passwort vor Kurzem eingegeben haben.
problem-refused-title = Abgelehnt
problem-refused-text = Diese Anfrage ist nicht erlaubt.

## Wenn die Anwendung nicht antworten kann

error-bad-request-title = Das hat nicht geklappt
error-bad-request-text = Die Anfrage war nicht zu verstehen. Gehen Sie zurück und versuchen Sie es noch einmal.
error-forbidden-title = Sie können diese Seite nicht öffnen
error-forbidden-text = Sie haben keinen Zugriff darauf, oder die Seite, von der Sie kommen, ist zu alt. Gehen Sie zurück und versuchen Sie es noch einmal.
error-too-large-title = Das war zu viel
error-too-large-text = Was Sie gesendet haben, ist zu groß. Versuchen Sie es mit weniger.
error-long-address-title = Die Adresse ist zu lang
error-long-address-text = Gehen Sie zurück und versuchen Sie einen kürzeren Weg zu dieser Seite.
error-misdirected-title = Diese Seite ist nicht hier
error-misdirected-text = Ihr Browser hat den falschen Server gefragt. Laden Sie die Seite neu.
error-too-many-title = Bitte etwas langsamer
error-too-many-text = Das waren zu viele Anfragen. Warten Sie einen Moment und laden Sie die Seite dann neu.
error-cookies-title = Ihr Browser hat zu viele Cookies gesendet
error-cookies-text = Löschen Sie in Ihrem Browser die Cookies dieser Website und laden Sie die Seite dann neu. Danach müssen Sie sich noch einmal anmelden.
error-failed-title = Da ist etwas schiefgegangen
error-failed-text = Es liegt nicht an Ihnen. Bitte versuchen Sie es gleich noch einmal.
error-bad-gateway-title = Diese Seite ist gerade nicht erreichbar
error-bad-gateway-text = Die Anwendung hat nicht so geantwortet, wie sie sollte. Bitte versuchen Sie es gleich noch einmal.
error-unavailable-title = Diese Seite ist gerade nicht erreichbar
error-unavailable-text = Es ist gerade viel los, oder ein Teil dieser Website ist ausgefallen. Bitte versuchen Sie es gleich noch einmal.
error-timeout-title = Das dauert zu lange
error-timeout-text = Die Anwendung hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es gleich noch einmal.

## Zeit

# $month ist 1 bis 12; $time ist wie 17:05.
moment =
    { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    } { $year }, { $time } UTC
ago-now = gerade eben
ago-minutes =
    { $count ->
        [one] vor { $count } Minute
       *[other] vor { $count } Minuten
    }
ago-hours =
    { $count ->
        [one] vor { $count } Stunde
       *[other] vor { $count } Stunden
    }
ago-days =
    { $count ->
        [one] vor { $count } Tag
       *[other] vor { $count } Tagen
    }
span-seconds =
    { $count ->
        [one] { $count } Sekunde
       *[other] { $count } Sekunden
    }
span-minutes =
    { $count ->
        [one] { $count } Minute
       *[other] { $count } Minuten
    }
span-hours =
    { $count ->
        [one] { $count } Stunde
       *[other] { $count } Stunden
    }
span-days =
    { $count ->
        [one] { $count } Tag
       *[other] { $count } Tage
    }
