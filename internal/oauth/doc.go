// Package oauth gets OAuth2 access tokens for log-ins at a mail server, and keeps them.
//
// A [Source] belongs to one account. Its tokens lie in a file of their own; whoever renews them,
// in this process or another, does so under a lock and has a rotated refresh token on disk before
// the access token that came with it is used. [Source.Token] and [Source.Renew] never ask a
// person; [Source.Browser], [Source.Paste] and [Source.Device] do (RFC 6749, RFC 7636, RFC 8252,
// RFC 8628).
//
// No error of this package holds a token, a code or a client's secret, whatever a server repeats.
package oauth
