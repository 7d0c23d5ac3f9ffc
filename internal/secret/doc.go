// Package secret holds passwords without showing them, and gets them from where they are kept.
//
// A [Value] prints as [redacted] everywhere. A [Source] fetches one when a log-in needs it:
// from a file, the environment, a systemd credential, a command, the desktop's keyring or a netrc
// file; an [Asker] asks for it on the terminal. No error of this package holds a secret or
// a part of one.
package secret
