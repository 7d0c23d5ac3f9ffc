// Package provider knows mail providers: where their POP3 servers are, which kind of password they
// take, what has to be switched on first, and how often they may be asked.
//
// # Sources
//
// Hosts, ports, user names and domains are those of Thunderbird's autoconfig database (ISPDB,
// repository thunderbird/autoconfig, as of 2026-03-12) and of the providers' own help pages. Rows
// that rest on less say so. No server was asked. [Provider.Verified] is about host, port, TLS and
// user name:
//
//   - ispdb: they agree with ISPDB
//   - help: they agree with the provider's help page; ispdb+help: with both
//   - third-party: another mail program or a guide has them
//   - unverified: from memory; to be proved by a connection before anybody relies on them
//
// The other fields are weaker: addresses of pages move, an MX suffix may be missing, and a Hint
// says "may" where only some users reported it.
//
// # Changing a row
//
// The table is table.go, a row a provider. What a row leaves out has the usual value: port 995
// with TLS from the first byte, the address as the user name, a password for the log-in. Domains,
// MX suffixes and hosts are lower case and parted by blanks; the tests say what else holds. A row
// that was changed after a look at the provider's help page gets verified: help. A hint is what
// somebody needs to read whose log-in was refused: one or two sentences, in words of our own.
//
// Nothing is computed at the start of a program; the first look-up builds the indexes, in much
// less than a millisecond.
package provider
