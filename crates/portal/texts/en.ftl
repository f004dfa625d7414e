# All texts of the pages in English: the language that every other one falls back to.
# One message per text; a name in braces is filled in by the page. Syntax: https://projectfluent.org

## Every page

title-error = Error: { $title }
cancel = Cancel
link-help = Help
link-privacy = Privacy
link-imprint = Imprint
reload = Reload
back = Back
sign-in = Sign in
sign-out = Sign out
incident = If this keeps happening, report incident { $incident }.

## Fields of the forms

field-identifier = Email or username
field-password = Password
field-current-password = Current password
field-new-identifier = New email or username
field-new-password = New password
field-repeat-password = Repeat the password
field-repeat-new-password = Repeat the new password
# On a button beside a password; read out with the field's name after it: "Show Password".
show-password = Show
field-signed-in-as = Signed in as
password-hint =
    At least { $min } characters. A few words that only you would put together are good; nothing needs to be a digit or a sign.

## Sign in

login-title = Sign in
login-remember = Stay signed in on this device
login-remember-hint = For { $idle } without a visit, { $absolute } at most. Only on a device that nobody else uses.
login-new-here = New here?
login-register = Create an account

signed-in-title = Signed in
signed-in-heading = You are signed in
signed-in-who = as { $identifier }
signed-in-continue = Continue

## Sign out

logout-title = Sign out
logout-heading = Sign out?
logout-who = You are signed in as { $identifier }. Signing out takes effect at once, in every part of this site.
logout-stay = Stay signed in
signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-text = You are not signed in in this browser.

## Create an account

register-title = Create an account
register-submit = Create account
register-have-account = Already have an account?

## Your account

account-title = Your account
account-who = You are signed in as { $identifier }.
account-change-password = Change password
account-change-identifier = Change email or username
account-sessions = Where you are signed in
account-this-one = this one
account-app = app
account-remembered = remembered
account-address = Address
account-address-unknown = unknown
account-last-seen = Last seen
account-now = now
account-opened = Signed in
account-ends = Ends by
account-newest =
    { $count ->
        [one] The newest one is shown.
       *[other] The newest { $count } are shown.
    }
account-end-others = Sign out everywhere else

device-browser-on-system = { $browser } on { $system }
device-some-browser = A browser on { $system }
device-unknown = Unknown device

## Change email or username

identifier-title = Change email or username
identifier-what-changes = You sign in with the new name from then on. Your devices stay signed in. Others can take the old name.

## Change your password

password-title = Change password
password-others-end = Every other device is signed out when you do.

## Confirm your password

confirm-title = Confirm your password
confirm-why = Before you go on: you signed in a while ago, so please type your password again.
confirm-why-end = Device to sign out: { $device }. You signed in a while ago, so please type your password again.
confirm-why-end-others = To sign out everywhere else: you signed in a while ago, so please type your password again.
confirm-that-device = the one that you chose
confirm-submit = Confirm
confirm-submit-end = Confirm and sign it out
confirm-submit-end-others = Confirm and sign out everywhere else

## What was just done

notice-confirmed = Thank you. For the next minutes you will not be asked again.
notice-cookies-deleted = The cookies of this site were deleted in this browser. You can sign in again.
notice-identifier-changed = Your email or username is changed. Use the new one from now on.
notice-nothing-to-end = That device was signed out already.
notice-not-sent = You were signed out, so the form that you sent was not carried out. Sign in to go back and send it again.
notice-others-ended = Every other device is signed out. This is the only one left.
notice-password-changed = Your password is changed. Every other device is signed out.
# True whether or not there was an account of that name before. It must not tell the two apart.
notice-registered = You can sign in now. If you already had an account under that name, it was not changed and keeps its password.
notice-session-ended = That device is signed out.

## Alerts: what must be known before going on

alert-throttled-title = Too many attempts
alert-throttled-text = Please wait { $wait } before you try again.
# One text for a wrong name, a wrong password, an unknown and a disabled account.
alert-login-refused-title = That did not work
alert-login-refused-text = The email, username or password is not right. Check them and try again.
alert-password-wrong-title = That did not work
alert-password-wrong-text = The password is not right. Try again.
alert-current-wrong-title = Your password was not changed
alert-current-wrong-text = The current password is not right. Type it all again.
alert-identifier-kept-title = Your email or username was not changed
alert-identifier-kept-text = The current password is not right. Type it again.
alert-not-repeated-title = The new passwords are not the same
alert-not-repeated-text = You typed two different ones. Type the new password twice.
alert-identifier-title = This name cannot be used here
alert-identifier-text = Use an email address, or a name of up to 254 ordinary characters.
alert-identifier-taken-title = That name is taken
alert-identifier-taken-text = Another account has it. Choose another name.
alert-policy-title = Please choose another password
alert-policy-common = This is one of the passwords that others would try first, perhaps with something added or repeated. Choose one that is not built on a common password.
alert-policy-contextual = This password is made of your own name or address, or of the name of this site. Choose one that has nothing to do with them.
alert-policy-too-long = Use { $max } characters at most.
alert-policy-too-short = Use { $min } characters or more. A few words that have nothing to do with each other are a good password.
alert-cookies-needed-title = Cookies are needed
alert-cookies-needed-text = Your browser sent no cookie. Allow cookies for this site, then type your password again. If they are allowed, this page was only open too long.
alert-expired-title = This page was open too long
alert-expired-login = You were not signed in. Type your password again to continue.
alert-expired-logout = You are still signed in. Press the button again to sign out.
alert-expired-register = No account was made. Type your password again.
alert-expired-account = Nothing was done. Press the button again.
alert-expired-confirm = Nothing was done. Type your password again.
alert-expired-identifier = Your email or username was not changed. Type your password again.
alert-expired-password = Your password was not changed. Type it all again.
alert-no-login-title = We cannot sign anyone in right now
alert-no-account-title = We cannot make accounts right now
alert-unavailable-text = Your password was not the reason. Try again in a moment. If this keeps happening, report incident { $incident }.

## Cookies that contradict each other

conflict-title = Conflicting cookies
conflict-heading = Your browser sent conflicting cookies
conflict-why-title = You cannot be signed in with them
conflict-why = Another site of this domain set a cookie that can be mistaken for the one that signs you in here. Delete the cookies, then sign in.
conflict-submit = Delete the cookies
conflict-hint = This deletes the cookies of all sites of this domain. You may have to sign in again there, too.
conflict-again = If this page comes back, delete the cookies of this domain in the settings of your browser.

## When a request cannot be answered

problem-account = Go to your account
problem-body-too-large-title = That was too much
problem-body-too-large-text = The request is larger than anything expected here.
problem-body-too-slow-title = That took too long
problem-body-too-slow-text = The request did not arrive in time. Please try again.
problem-unavailable-title = This cannot be checked right now
problem-unavailable-text = A part of this site did not answer. Please try again in a moment.
problem-malformed-title = We could not read that
problem-malformed-text = Your browser sent something that this page does not understand. Go back and try again.
problem-method-title = This page does not work that way
problem-method-text = Your browser asked for this page in a way that is not possible here. Go back and try again.
problem-not-found-title = There is nothing here
problem-not-found-text = The address may be mistyped, or the page may have moved.
problem-unsupported-title = Not offered here
problem-unsupported-text = This site does not offer what was asked for.
problem-foreign-title = This request came from elsewhere
problem-foreign-text = It was not sent by a page of this site, so nothing was done.
problem-expired-title = This page has expired
problem-expired-text = Nothing was done. Load the page again and repeat what you did.
problem-two-credentials-title = Two sign-ins at once
problem-two-credentials-text = The request carries more than one sign-in, so it was refused.
problem-not-signed-in-title = Not signed in
problem-not-signed-in-text = Please sign in to continue.
problem-signed-out-title = Signed out
problem-signed-out-text = Your session is not valid, or it has ended. Please sign in again.
problem-confirm-title = Please confirm your password
problem-confirm-text = For this, you must have typed your password a short while ago.
problem-refused-title = Refused
problem-refused-text = This request is not allowed.

## When the application cannot answer

error-bad-request-title = That did not work
error-bad-request-text = The request could not be understood. Go back and try again.
error-forbidden-title = You cannot open this page
error-forbidden-text = You have no access to it, or the page that sent you here is too old. Go back and try again.
error-too-large-title = That was too much
error-too-large-text = What you sent is too large. Try again with less.
error-long-address-title = The address is too long
error-long-address-text = Go back and try a shorter way to this page.
error-misdirected-title = This page is not here
error-misdirected-text = Your browser asked the wrong server. Reload the page.
error-too-many-title = Please slow down
error-too-many-text = There were too many requests. Wait a moment, then reload the page.
error-cookies-title = Your browser sent too many cookies
error-cookies-text = Delete the cookies of this site in your browser, then reload the page. You will have to sign in again.
error-failed-title = Something went wrong
error-failed-text = It is not your fault. Please try again in a moment.
error-bad-gateway-title = This page cannot be reached right now
error-bad-gateway-text = The application did not answer as it should. Please try again in a moment.
error-unavailable-title = This page cannot be reached right now
error-unavailable-text = This site is busy, or a part of it is down. Please try again in a moment.
error-timeout-title = This is taking too long
error-timeout-text = The application did not answer in time. Please try again in a moment.

## Time

# $month is 1 to 12; $time is like 17:05.
moment =
    { $day } { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    } { $year }, { $time } UTC
ago-now = just now
ago-minutes =
    { $count ->
        [one] { $count } minute ago
       *[other] { $count } minutes ago
    }
ago-hours =
    { $count ->
        [one] { $count } hour ago
       *[other] { $count } hours ago
    }
ago-days =
    { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }
span-seconds =
    { $count ->
        [one] { $count } second
       *[other] { $count } seconds
    }
span-minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
span-hours =
    { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
span-days =
    { $count ->
        [one] { $count } day
       *[other] { $count } days
    }
