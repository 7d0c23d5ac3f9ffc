package provider

import "time"

// table has a row for each provider, and where several share a host the one first whose users
// most accounts there will be. See the package's comment on how to change it.
var table = []row{
	{
		id: "gmail", name: "Gmail",
		domains: "gmail.com googlemail.com",
		host:    "pop.gmail.com", auth: "app_password oauth2", minInterval: 5 * time.Minute,
		enableURL: "https://mail.google.com/mail/u/0/#settings/fwdandpop",
		helpURL:   "https://support.google.com/mail/answer/7104828",
		oauth2:    "google",
		verified:  ispdbHelp,
		hint: "Gmail wants an app password (made in the Google account once 2-step verification is on) or OAuth2, " +
			"never the password of the web site; POP has to be enabled in Gmail's settings.",
	},
	{
		id: "google-workspace", name: "Google Workspace (own domain)",
		mx:   "google.com googlemail.com",
		host: "pop.gmail.com", auth: "oauth2 app_password", minInterval: 5 * time.Minute,
		enableURL: "https://mail.google.com/mail/u/0/#settings/fwdandpop",
		helpURL:   "https://support.google.com/a/answer/6089246",
		oauth2:    "google",
		verified:  ispdbHelp,
		hint: "Google Workspace takes OAuth2, or an app password where people may make one; an administrator can " +
			"disable POP for everybody.",
	},
	{
		id: "outlook", name: "Outlook.com, Hotmail, Live, MSN",
		domains: `
			hotmail.com live.com msn.com outlook.com windowslive.com outlook.at outlook.be outlook.cl outlook.cz
			outlook.de outlook.dk outlook.es outlook.fr outlook.hu outlook.ie outlook.in outlook.it outlook.jp
			outlook.kr outlook.lv outlook.my outlook.ph outlook.pt outlook.sa outlook.sg outlook.sk
			outlook.co.id outlook.co.il outlook.co.th outlook.com.ar outlook.com.au outlook.com.br
			outlook.com.gr outlook.com.tr outlook.com.vn hotmail.be hotmail.ca hotmail.cl hotmail.cz hotmail.de
			hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.it hotmail.lt hotmail.lv
			hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.rs hotmail.se hotmail.sg hotmail.sk
			hotmail.co.id hotmail.co.il hotmail.co.in hotmail.co.jp hotmail.co.kr hotmail.co.th hotmail.co.uk
			hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br hotmail.com.hk hotmail.com.tr
			hotmail.com.tw hotmail.com.vn live.at live.be live.ca live.cl live.cn live.de live.dk live.fi
			live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se live.co.jp
			live.co.kr live.co.uk live.co.za live.com.ar live.com.au live.com.mx live.com.my live.com.ph
			live.com.pt live.com.sg livemail.tw olc.protection.outlook.com`,
		mx:   "olc.protection.outlook.com",
		host: "outlook.office365.com", auth: "oauth2",
		enableURL: "https://outlook.live.com/mail/0/options/mail/forwarding",
		helpURL:   "https://support.microsoft.com/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040",
		oauth2:    "microsoft",
		verified:  ispdbHelp,
		hint: "Microsoft takes OAuth2 here and no kind of password; POP has to be enabled in Outlook's settings, " +
			"where forwarding is.",
	},
	{
		id: "microsoft365", name: "Microsoft 365, Exchange Online (own domain)",
		domains: "onmicrosoft.com",
		mx:      "mail.protection.outlook.com",
		host:    "outlook.office365.com", auth: "oauth2",
		helpURL:  "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/pop3-and-imap4/pop3-and-imap4",
		oauth2:   "microsoft",
		verified: ispdbHelp,
		hint: "Microsoft 365 takes OAuth2 only, and gives one and the same answer for a bad token, another " +
			"mailbox's token and a mailbox that may not use POP; ask the administrator about the last.",
	},
	{
		id: "yahoo", name: "Yahoo Mail",
		domains: `
			yahoo.com yahoo.ca yahoo.de yahoo.it yahoo.fr yahoo.es yahoo.se yahoo.co.in yahoo.co.uk yahoo.co.nz
			yahoo.com.au yahoo.com.ar yahoo.com.br yahoo.com.mx ymail.com myyahoo.com rocketmail.com`,
		mx:   "yahoodns.net",
		host: "pop.mail.yahoo.com", auth: "app_password oauth2",
		enableURL: "https://login.yahoo.com/account/security",
		helpURL:   "https://help.yahoo.com/kb/SLN4724.html",
		oauth2:    "yahoo",
		verified:  ispdb,
		hint:      "Yahoo wants an app password in place of the usual one; its account pages make one.",
	},
	{
		id: "aol", name: "AOL, AIM, Netscape, CompuServe",
		domains: `
			aol.com aim.com netscape.net netscape.com compuserve.com cs.com wmconnect.com aol.de aol.it aol.fr
			aol.es aol.se aol.co.uk aol.co.nz aol.com.au aol.com.ar aol.com.br aol.com.mx`,
		host: "pop.aol.com", auth: "app_password oauth2",
		helpURL:  "https://help.aol.com/articles/how-do-i-use-other-email-applications-to-send-and-receive-my-aol-mail",
		oauth2:   "aol",
		verified: ispdb,
		hint:     "AOL wants an app password in place of the usual one; its account pages make one.",
	},
	{
		id: "verizon", name: "Verizon.net",
		domains: "verizon.net",
		host:    "pop.aol.com", auth: "app_password oauth2",
		helpURL:  "https://help.aol.com/articles/how-do-i-set-up-other-email-applications-to-send-and-receive-my-verizon-net-mail",
		oauth2:   "aol",
		verified: ispdb,
		hint:     "AOL looks after these mailboxes and wants an app password in place of the usual one.",
	},
	{
		id: "att", name: "AT&T",
		domains: `
			ameritech.net att.net bellsouth.net currently.com flash.net nvbell.net pacbell.net prodigy.net
			sbcglobal.net snet.net swbell.net wans.net`,
		host: "inbound.att.net", auth: "app_password oauth2",
		helpURL:  "https://www.att.com/support/article/email-support/KM1010523/",
		verified: ispdb,
		hint:     "AT&T wants its secure mail key here, which is an app password that the account pages make.",
	},
	{
		id: "cox", name: "Cox",
		domains: "cox.net",
		host:    "pop.mail.yahoo.com", also: "pop.cox.net", auth: "app_password",
		verified: ispdb,
		hint:     "Cox mailboxes live at Yahoo now, which wants an app password in place of the usual one.",
	},
	{
		id: "comcast", name: "Comcast Xfinity",
		domains: "comcast.net",
		host:    "mail.comcast.net", also: "pop.comcast.net", stls110: true, auth: "password oauth2",
		enableURL: "https://www.xfinity.com/support/articles/third-party-email-access",
		oauth2:    "comcast",
		verified:  ispdb,
		hint:      "Xfinity lets programs in only once the account permits access by third parties.",
	},
	{
		id: "spectrum", name: "Spectrum, Charter",
		domains:  "charter.net spectrum.net bresnan.net",
		host:     "mobile.charter.net",
		helpURL:  "https://www.spectrum.net/support/internet/mobile-email-setup",
		verified: ispdb,
		hint:     "Where the usual password is refused, try an app password.",
	},
	{
		id: "centurylink", name: "CenturyLink, Embarq",
		domains:  "centurylink.net embarqmail.com",
		host:     "pop.centurylink.net",
		verified: ispdb,
	},
	{
		id: "earthlink", name: "EarthLink, MindSpring",
		domains:  "earthlink.net mindspring.com ix.netcom.com",
		host:     "pop.earthlink.net",
		helpURL:  "https://help.earthlink.net/portal/en/kb/articles/email-server-settings",
		verified: ispdb,
	},
	{
		id: "bell", name: "Bell, Sympatico",
		domains:  "bell.net sympatico.ca",
		host:     "pophm.sympatico.ca",
		verified: ispdb,
	},
	{
		id: "telstra", name: "Telstra, BigPond",
		domains:  "bigpond.com bigpond.net.au telstra.com bigpond.net",
		host:     "pop.telstra.com",
		verified: ispdb,
	},
	{
		id: "xtra", name: "Xtra (Spark)",
		domains:  "xtra.co.nz",
		host:     "pop3.xtra.co.nz",
		verified: ispdb,
	},
	{
		id: "gmx", name: "GMX (DE, AT, CH, net)",
		domains: "gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.biz gmx.org gmx.info mein.gmx mail.gmx email.gmx",
		mx:      "gmx.net",
		host:    "pop.gmx.net", stls110: true, auth: "password app_password",
		enableURL: "https://hilfe.gmx.net/pop-imap/einschalten.html",
		helpURL:   "https://hilfe.gmx.net/pop-imap/pop3/pop3-serverdaten.html",
		verified:  ispdbHelp,
		hint: "GMX lets programs in only once POP3 was enabled in its web settings; with two-factor log-in it wants " +
			"an app password.",
	},
	{
		id: "gmx-com", name: "GMX (international)",
		domains: `
			gmx.com gmx.tm gmx.us gmx.co.uk gmx.es gmx.fr gmx.ca gmx.cn gmx.co.in gmx.com.br gmx.com.my gmx.hk
			gmx.ie gmx.ph gmx.pt gmx.ru gmx.se gmx.sg gmx.tw gmx.com.tr gmx.it gmx.li`,
		host: "pop.gmx.com", stls110: true, auth: "password app_password",
		enableURL: "https://support.gmx.com/pop-imap/toggle.html",
		verified:  ispdb,
		hint: "GMX lets programs in only once POP3 was enabled in its web settings; with two-factor log-in it wants " +
			"an app password.",
	},
	{
		id: "mail-com", name: "mail.com",
		domains: `
			mail.com mail.org email.com post.com usa.com accountant.com consultant.com dr.com engineer.com
			cheerful.com techie.com linuxmail.org europe.com london.com uymail.com myself.com iname.com
			writeme.com 2die4.com activist.com adexec.com africamail.com aircraftmail.com alabama.usa.com
			alaska.usa.com allergist.com alumni.com alumnidirector.com americamail.com amorous.com angelic.com
			archaeologist.com arizona.usa.com artlover.com asia-mail.com atheist.com australiamail.com
			bartender.net berlin.com bigger.com bikerider.com birdlover.com blader.com boardermail.com
			brazilmail.com brew-master.com california.usa.com californiamail.com caress.com catlover.com
			chef.net chemist.com chinamail.com clerk.com cliffhanger.com collector.org columnist.com comic.com
			computer4u.com contractor.net coolsite.net counsellor.com count.com couple.com cutey.com
			cyberdude.com cybergal.com cyber-wizard.com dallasmail.com dbzmail.com deliveryman.com diplomats.com
			disciples.com doctor.com doglover.com doramail.com dublin.com earthling.net elvisfan.com
			englandmail.com europemail.com execs.com fan.com feelings.com financier.com fireman.net
			florida.usa.com footballer.com gardener.com geologist.com germanymail.com graduate.org
			graphic-designer.com hackermail.com hairdresser.net hilarious.com hockeymail.com homemail.com
			hot-shot.com hour.com humanoid.net illinois.usa.com innocent.com inorbit.com instruction.com
			instructor.net insurer.com irelandmail.com italymail.com japan.com journalist.com keromail.com
			kittymail.com koreamail.com lawyer.com legislator.com loveable.com lovecat.com mad.scientist.com
			madonnafan.com madrid.com marchmail.com mexicomail.com mindless.com minister.com mobsters.com
			monarchy.com moscowmail.com munich.com musician.org muslim.com newyork.usa.com null.net nycmail.com
			oath.com optician.com pacificwest.com petlover.com photographer.net playful.com poetic.com
			politician.com popstar.com presidency.com priest.com programmer.net publicist.com realtyagent.com
			reborn.com reggaefan.com religious.com repairman.com representative.com rescueteam.com revenue.com
			rocketship.com rockfan.com rome.com royal.net saintly.com salesperson.net sanfranmail.com
			scientist.com scotlandmail.com secretary.net seductive.com singapore.com snakebite.com
			songwriter.net soon.com spainmail.com teachers.org technologist.com texas.usa.com thegame.com
			therapist.net toke.com tokyo.com toothfairy.com tvstar.com umpire.com wallet.com webname.com
			weirdness.com who.net whoever.com winning.com witty.com worker.com workmail.com yours.com`,
		mx:   "mail.com",
		host: "pop.mail.com", stls110: true, auth: "password app_password",
		verified: ispdb,
		hint:     "Depending on the country, mail.com may offer POP3 to paying customers only.",
	},
	{
		id: "web-de", name: "WEB.DE",
		domains: "web.de",
		host:    "pop3.web.de", stls110: true, user: localpart, auth: "password app_password", minInterval: 15 * time.Minute,
		enableURL: "https://hilfe.web.de/pop-imap/einschalten.html",
		helpURL:   "https://hilfe.web.de/pop-imap/pop3/pop3-serverdaten.html",
		verified:  ispdb,
		hint: "WEB.DE lets a free mailbox log in once in 15 minutes and answers an earlier attempt as if the " +
			"password were wrong; POP3 has to be enabled in its web settings, and two-factor log-in needs an app " +
			"password.",
	},
	{
		id: "t-online", name: "T-Online, Magenta",
		domains: "t-online.de magenta.de",
		host:    "securepop.t-online.de", auth: "app_password",
		enableURL: "https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
		helpURL:   "https://www.telekom.de/hilfe/apps-dienste/e-mail/einstellungen/posteingang-postausgang-server",
		verified:  ispdb,
		hint: "Telekom has a second password for mail programs; set one in the customer pages, since the web site's " +
			"is refused here.",
	},
	{
		id: "freenet", name: "freenet Mail",
		domains:  "freenet.de fn.de freenetmail.de bossmail.de justmail.de",
		host:     "mx.freenet.de",
		helpURL:  "https://kundenservice.freenet.de/artikel/1869",
		verified: thirdParty,
	},
	{
		id: "mailbox-org", name: "mailbox.org",
		domains: "mailbox.org",
		mx:      "mailbox.org",
		host:    "pop3.mailbox.org", auth: "password app_password",
		helpURL:  "https://kb.mailbox.org/en/private/e-mail/e-mail-configuration",
		verified: help,
		hint: "Log in with the mailbox's main address, since an alias is not known here; two-factor log-in needs an " +
			"app password.",
	},
	{
		id: "posteo", name: "Posteo",
		domains: `
			posteo.de posteo.at posteo.be posteo.ca posteo.ch posteo.cl posteo.co posteo.co.uk posteo.com
			posteo.com.br posteo.cr posteo.cz posteo.dk posteo.ee posteo.es posteo.eu posteo.fi posteo.gl
			posteo.gr posteo.hn posteo.hr posteo.hu posteo.ie posteo.in posteo.is posteo.it posteo.jp posteo.la
			posteo.li posteo.lt posteo.lu posteo.me posteo.mx posteo.my posteo.net posteo.nl posteo.no posteo.nz
			posteo.org posteo.pe posteo.pl posteo.pm posteo.pt posteo.ro posteo.se posteo.sg posteo.si posteo.tn
			posteo.uk posteo.us`,
		host: "posteo.de", stls110: true,
		helpURL:  "https://posteo.de/hilfe/wie-richte-ich-posteo-in-einem-mailprogramm-ein-pop3-imap-und-smtp",
		verified: ispdb,
		hint:     "Posteo lets no program in as long as the account's additional protection is enabled.",
	},
	{
		id: "fastmail", name: "Fastmail",
		domains: "fastmail.com fastmail.fm",
		mx:      "messagingengine.com",
		host:    "pop.fastmail.com", auth: "app_password oauth2",
		enableURL: "https://app.fastmail.com/settings/security",
		helpURL:   "https://www.fastmail.help/hc/en-us/articles/1500000278342",
		oauth2:    "fastmail",
		verified:  ispdb,
		hint: "Fastmail wants an app password that is allowed to use POP, or OAuth2; the Basic plan has no app " +
			"passwords.",
	},
	{
		id: "vodafone-de", name: "Vodafone DE, Arcor",
		domains: "vodafonemail.de arcor.de kabelmail.de",
		host:    "pop3.vodafonemail.de", auth: "app_password",
		verified: ispdb,
		hint:     "Vodafone may want a second password, set for mail programs only.",
	},
	{
		id: "ionos", name: "IONOS, 1&1 (own domain)",
		domains: `
			online.de onlinehome.de sofortstart.de sofort-start.de sofortsurf.de sofort-surf.de go4more.de
			kundenserver.de schlund.de`,
		mx:       "kundenserver.de ionos.de ionos.com ionos.co.uk ionos.fr ionos.es",
		host:     "pop.ionos.de",
		also:     "pop.1und1.de pop.ionos.com pop.ionos.co.uk pop.ionos.fr pop.ionos.es pop.ionos.it",
		helpURL:  "https://www.ionos.de/hilfe/e-mail/allgemeine-themen/serverinformationen-fuer-imap-pop3-und-smtp/",
		verified: thirdParty,
		hint:     "IONOS wants the password that was set for this mailbox; the customer log-in has another one.",
	},
	{
		id: "strato", name: "Strato (own domain)",
		domains:  "strato.de",
		mx:       "rzone.de",
		host:     "pop3.strato.de",
		helpURL:  "https://www.strato.de/faq/mail/externes-e-mail-programm-mit-strato-e-mail-adresse-nutzen/",
		verified: ispdb,
	},
	{
		id: "hetzner", name: "Hetzner webhosting (own domain)",
		mx:       "your-server.de",
		host:     "mail.your-server.de",
		verified: thirdParty,
	},
	{
		id: "df", name: "DomainFactory (own domain)",
		mx:       "ispgateway.de",
		host:     "sslin.df.eu",
		verified: ispdb,
	},
	{
		id: "a1", name: "A1 (AT), aon",
		domains:  "a1.net aon.at",
		host:     "pop.a1.net",
		verified: unverified,
	},
	{
		id: "bluewin", name: "Bluewin (Swisscom)",
		domains:  "bluewin.ch bluemail.ch",
		host:     "pop3s.bluewin.ch",
		verified: ispdb,
	},
	{
		id: "infomaniak", name: "Infomaniak",
		domains: "ik.me ikmail.com etik.com",
		mx:      "infomaniak.ch infomaniak.com",
		host:    "mail.infomaniak.com", auth: "app_password",
		helpURL:  "https://www.infomaniak.com/en/support/faq/admin2/email-service",
		verified: help,
		hint:     "Infomaniak wants a password that was made for one device, not the one of the web site.",
	},
	{
		id: "gandi", name: "Gandi (own domain)",
		mx:   "gandi.net",
		host: "mail.gandi.net", stls110: true,
		helpURL:  "https://docs.gandi.net/en/gandimail/standard_email_settings/",
		verified: ispdb,
	},
	{
		id: "ovh", name: "OVH (own domain)",
		domains:  "ovh.net",
		mx:       "ovh.net",
		host:     "ssl0.ovh.net",
		verified: ispdb,
		hint: "Mailboxes of OVH's Exchange, Email Pro and Zimbra offers are on other servers; look up the host in " +
			"the customer pages.",
	},
	{
		id: "orange-fr", name: "Orange, Wanadoo",
		domains:  "orange.fr wanadoo.fr",
		host:     "pop.orange.fr",
		verified: ispdb,
		hint:     "Orange may want mail programs to be allowed in its web settings first; log in with the full address.",
	},
	{
		id: "free-fr", name: "Free",
		domains: "free.fr",
		host:    "pop.free.fr", user: localpart,
		helpURL:  "https://assistance.free.fr/articles/configurer-de-maniere-avancee-mon-logiciel-de-messagerie-609",
		verified: ispdb,
	},
	{
		id: "laposte", name: "La Poste",
		domains: "laposte.net",
		host:    "pop.laposte.net", user: localpart,
		helpURL:  "https://aide.laposte.net/contents/comment-parametrer-un-logiciel-de-messagerie-pour-envoyer-et-recevoir-mes-courriers-electroniques",
		verified: ispdb,
		hint:     "La Poste knows the main address only; an alias cannot log in.",
	},
	{
		id: "sfr", name: "SFR, Neuf, Club-Internet",
		domains:  "sfr.fr neuf.fr club-internet.fr cegetel.net 9online.fr",
		host:     "pop.sfr.fr",
		verified: ispdb,
	},
	{
		id: "libero", name: "Libero, IOL, Blu, InWind",
		domains: "libero.it iol.it blu.it inwind.it giallo.it",
		host:    "popmail.libero.it", auth: "password app_password",
		enableURL: "https://aiuto.libero.it/articolo/sicurezza/password-sicura-specifica-applicazioni-client/",
		verified:  ispdb,
		hint:      "With two-factor log-in Libero wants a password that was made for mail programs.",
	},
	{
		id: "virgilio", name: "Virgilio",
		domains:  "virgilio.it",
		host:     "in.virgilio.it",
		helpURL:  "https://aiuto.virgilio.it/articolo/mail/parametri-di-configurazione-per-il-client-di-posta/",
		verified: ispdb,
	},
	{
		id: "tim", name: "TIM",
		domains: "tim.it",
		host:    "pop.tim.it", tls: starttls,
		verified: ispdb,
	},
	{
		id: "alice-it", name: "Alice (TIM)",
		domains: "alice.it",
		host:    "in.alice.it", tls: starttls,
		verified: ispdb,
	},
	{
		id: "tiscali-it", name: "Tiscali",
		domains:  "tiscali.it",
		host:     "pop.tiscali.it",
		verified: ispdb,
	},
	{
		id: "aruba", name: "Aruba (own domain)",
		domains:  "aruba.it",
		mx:       "aruba.it",
		host:     "pop3s.aruba.it",
		helpURL:  "https://guide.hosting.aruba.it/email/configurazione-email-pc-dispositivi-mobili/configurazione-casella-dominio-pc-mac-pop.aspx",
		verified: help,
	},
	{
		id: "aruba-pec", name: "Aruba PEC",
		domains:  "pec.it arubapec.it mypec.eu gigapec.it ingpec.eu",
		host:     "pop3s.pec.aruba.it",
		verified: ispdb,
	},
	{
		id: "postecert", name: "Poste PEC",
		domains:  "postecert.it",
		host:     "mail.postecert.it",
		verified: ispdb,
	},
	{
		id: "seznam", name: "Seznam",
		domains: "seznam.cz email.cz post.cz spoluzaci.cz",
		host:    "pop3.seznam.cz", auth: "password app_password",
		verified: ispdb,
		hint:     "With two-factor log-in Seznam may want an app password.",
	},
	{
		id: "wp", name: "WP (Wirtualna Polska)",
		domains: "wp.pl",
		host:    "pop3.wp.pl", user: localpart, auth: "password app_password",
		helpURL:  "https://pomoc.wp.pl/jak-skonfigurowac-program-pocztowy",
		verified: ispdb,
		hint:     "WP may let programs in only once POP was enabled in its web settings.",
	},
	{
		id: "o2-pl", name: "o2.pl, tlen.pl",
		domains: "o2.pl go2.pl tlen.pl prokonto.pl",
		host:    "poczta.o2.pl", user: localpart,
		enableURL: "https://pomoc.o2.pl/aktywacja-dostepu-dla-programow-pocztowych",
		verified:  ispdb,
		hint:      "o2 lets programs in only once access was enabled in its web settings.",
	},
	{
		id: "onet", name: "Onet",
		domains: `
			onet.pl onet.eu poczta.onet.pl poczta.onet.eu op.pl vp.pl autograf.pl buziaczek.pl amorki.pl
			republika.pl adres.pl cyberia.pl onet.com.pl opoczta.pl pseudonim.pl spoko.pl vip.onet.pl`,
		host:     "pop3.poczta.onet.pl",
		helpURL:  "https://pomoc.poczta.onet.pl/baza-wiedzy/konfiguracja-poczty-w-programie-mozilla-thunderbird/",
		verified: ispdb,
	},
	{
		id: "interia", name: "Interia",
		domains:  "interia.pl interia.eu poczta.fm vip.interia.pl intmail.pl interia.com",
		host:     "poczta.interia.pl",
		helpURL:  "https://pomoc.poczta.interia.pl/news-parametry-do-konfiguracji-programow-pocztowych,nId,2136275",
		verified: thirdParty,
		hint:     "Interia lets programs in only once access was enabled in its web settings.",
	},
	{
		id: "ziggo", name: "Ziggo, UPC (NL)",
		domains: `
			hahah.nl ziggomail.com casema.nl zinders.nl ziggo.nl zeggis.nl zeggis.com razcall.nl razcall.com
			upcmail.nl chello.nl multiweb.nl home.nl quicknet.nl`,
		host:     "pop.ziggo.nl",
		verified: ispdb,
	},
	{
		id: "kpn", name: "KPN, XS4ALL, Planet",
		domains: `
			kpnmail.nl kpnplanet.nl planet.nl wxs.nl hetnet.nl freeler.nl snelnet.net on.nl onsbrabantnet.nl
			onsmail.nl onsnet.nu onsneteindhoven.nl onsnetnuenen.nl xs4all.nl telfort.nl tip.nl tiscali.nl
			tiscalimail.nl`,
		host: "pop.kpnmail.nl", stls110: true,
		verified: ispdb,
	},
	{
		id: "proximus", name: "Proximus, Skynet",
		domains:  "skynet.be proximus.be belgacom.net kidcity.be",
		host:     "pop.proximus.be",
		verified: ispdb,
	},
	{
		id: "bt", name: "BT Internet",
		domains:  "btinternet.com btopenworld.com talk21.com",
		host:     "mail.btinternet.com",
		verified: ispdb,
	},
	{
		id: "virginmedia", name: "Virgin Media",
		domains: "virginmedia.com virginmedia.co.uk",
		host:    "pop3.virginmedia.com", auth: "password app_password",
		verified: ispdb,
	},
	{
		id: "ntlworld", name: "Virgin Media (ntlworld)",
		domains:  "ntlworld.com",
		host:     "pop3.ntlworld.com",
		verified: ispdb,
	},
	{
		id: "blueyonder", name: "Virgin Media (blueyonder)",
		domains:  "blueyonder.co.uk",
		host:     "pop3.blueyonder.co.uk",
		verified: ispdb,
	},
	{
		id: "virgin-net", name: "Virgin Media (virgin.net)",
		domains:  "virgin.net",
		host:     "pop.virgin.net",
		verified: ispdb,
	},
	{
		id: "sky", name: "Sky",
		domains: "sky.com",
		host:    "pop.tools.sky.com", auth: "app_password",
		verified: ispdb,
		hint:     "Yahoo looks after Sky's mailboxes and wants an app password in place of the usual one.",
	},
	{
		id: "yandex", name: "Yandex",
		domains: "yandex.ru yandex.com yandex.net yandex.by yandex.kz yandex.ua ya.ru narod.ru",
		mx:      "yandex.net yandex.ru",
		host:    "pop.yandex.com", auth: "app_password",
		enableURL: "https://mail.yandex.com/#setup/client",
		helpURL:   "https://yandex.com/support/mail/mail-clients/others.html",
		verified:  ispdb,
		hint: "Yandex wants an app password made for mail; POP has to be enabled in its settings, which also say " +
			"which folders it shows.",
	},
	{
		id: "mail-ru", name: "Mail.ru, Inbox, List, BK",
		domains: "mail.ru inbox.ru list.ru bk.ru corp.mail.ru",
		host:    "pop.mail.ru", stls110: true, auth: "app_password oauth2",
		helpURL:  "https://help.mail.ru/mail/mailer/popsmtp",
		oauth2:   "mail.ru",
		verified: ispdb,
		hint:     "Mail.ru lets programs in with an app password only, which the account's settings make.",
	},
	{
		id: "rambler", name: "Rambler",
		domains:  "rambler.ru lenta.ru myrambler.ru autorambler.ru ro.ru",
		host:     "pop.rambler.ru",
		helpURL:  "https://help.rambler.ru/mail/mail-pochtovye-klienty/1277/",
		verified: ispdb,
		hint:     "Rambler may want mail programs to be allowed in its settings first.",
	},
	{
		id: "qq", name: "QQ Mail, Foxmail",
		domains: "qq.com foxmail.com vip.qq.com",
		host:    "pop.qq.com", auth: "app_password",
		enableURL: "https://mail.qq.com/",
		verified:  thirdParty,
		hint: "QQ wants the 16-character code that it shows when POP3 is enabled on its web site; after a change of " +
			"the QQ password a new one is needed.",
	},
	{
		id: "qq-exmail", name: "Tencent Exmail (own domain)",
		mx:   "mxbiz1.qq.com mxbiz2.qq.com",
		host: "pop.exmail.qq.com", auth: "app_password",
		verified: unverified,
	},
	{
		id: "netease-163", name: "NetEase 163",
		domains: "163.com",
		host:    "pop.163.com", auth: "app_password",
		verified: thirdParty,
		hint:     "NetEase wants the code that it shows when POP3 is enabled on its web site, not the log-in password.",
	},
	{
		id: "netease-126", name: "NetEase 126",
		domains: "126.com",
		host:    "pop.126.com", auth: "app_password",
		verified: thirdParty,
		hint:     "NetEase wants the code that it shows when POP3 is enabled on its web site, not the log-in password.",
	},
	{
		id: "netease-yeah", name: "NetEase yeah.net",
		domains: "yeah.net",
		host:    "pop.yeah.net", auth: "app_password",
		verified: unverified,
		hint:     "NetEase wants the code that it shows when POP3 is enabled on its web site, not the log-in password.",
	},
	{
		id: "naver", name: "Naver",
		domains: "naver.com",
		host:    "pop.naver.com", auth: "password app_password",
		helpURL:  "https://help.naver.com/service/30029/contents/21342",
		verified: ispdb,
		hint: "Naver wants POP3 to be enabled in its settings and may disable it when nobody uses it; with two-step " +
			"log-in it takes an app password only.",
	},
	{
		id: "daum", name: "Daum, Hanmail",
		domains: "daum.net hanmail.net",
		host:    "pop.daum.net", auth: "app_password",
		helpURL:  "https://cs.daum.net/faq/43/9234.html",
		verified: unverified,
		hint:     "Daum wants POP3 to be enabled in its settings; with two-step log-in it takes an app password only.",
	},
	{
		id: "yahoo-jp", name: "Yahoo! Japan",
		domains: "yahoo.co.jp",
		host:    "pop.mail.yahoo.co.jp", user: localpart,
		verified: ispdb,
		hint: "Yahoo! Japan may want mail programs to be allowed in its settings first; it shares no accounts with " +
			"Yahoo elsewhere.",
	},
	{
		id: "ocn", name: "OCN",
		domains:  "ocn.ne.jp ocn.ad.jp",
		host:     "pop.ocn.ne.jp",
		verified: ispdb,
	},
	{
		id: "biglobe", name: "BIGLOBE",
		domains:  "biglobe.ne.jp",
		host:     "mail.biglobe.ne.jp",
		verified: ispdb,
	},
	{
		id: "rediff", name: "Rediffmail",
		domains:  "rediffmail.com",
		host:     "pop.rediffmail.com",
		verified: ispdb,
		hint:     "Rediffmail may offer POP to paying customers only.",
	},
	{
		id: "zoho", name: "Zoho Mail (personal, .com)",
		domains: "zoho.com zohomail.com",
		host:    "pop.zoho.com", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdbHelp,
		hint: "Zoho wants POP to be enabled in its settings and has none for free accounts opened since 2019; " +
			"two-factor log-in needs an app password.",
	},
	{
		id: "zoho-pro", name: "Zoho Mail (own domain, .com)",
		mx:   "zoho.com",
		host: "poppro.zoho.com", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  help,
		hint: "Zoho wants POP to be enabled in its settings; organisations of other regions are at another host, " +
			"such as poppro.zoho.eu.",
	},
	{
		id: "zoho-eu", name: "Zoho Mail (eu)",
		domains: "zoho.eu zohomail.eu",
		mx:      "zoho.eu",
		host:    "pop.zoho.eu", also: "poppro.zoho.eu", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdb,
		hint: "Zoho wants POP to be enabled in its settings; addresses of a domain of one's own are at " +
			"poppro.zoho.eu.",
	},
	{
		id: "zoho-in", name: "Zoho Mail (in)",
		domains: "zoho.in zohomail.in",
		mx:      "zoho.in",
		host:    "pop.zoho.in", also: "poppro.zoho.in", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdb,
		hint: "Zoho wants POP to be enabled in its settings; addresses of a domain of one's own are at " +
			"poppro.zoho.in.",
	},
	{
		id: "zoho-com-au", name: "Zoho Mail (com.au)",
		domains: "zoho.com.au zohomail.com.au",
		mx:      "zoho.com.au",
		host:    "pop.zoho.com.au", also: "poppro.zoho.com.au", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdb,
		hint: "Zoho wants POP to be enabled in its settings; addresses of a domain of one's own are at " +
			"poppro.zoho.com.au.",
	},
	{
		id: "zoho-jp", name: "Zoho Mail (jp)",
		domains: "zoho.jp zohomail.jp",
		mx:      "zoho.jp",
		host:    "pop.zoho.jp", also: "poppro.zoho.jp", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdb,
		hint: "Zoho wants POP to be enabled in its settings; addresses of a domain of one's own are at " +
			"poppro.zoho.jp.",
	},
	{
		id: "zoho-ca", name: "Zoho Mail (Canada)",
		domains: "zohocloud.ca zohomailcloud.ca",
		mx:      "zohocloud.ca",
		host:    "pop.zohocloud.ca", auth: "password app_password",
		enableURL: "https://www.zoho.com/mail/help/pop-access.html#EnablePOPAccess",
		verified:  ispdb,
		hint:      "Zoho wants POP to be enabled in its settings; two-factor log-in needs an app password.",
	},
	{
		id: "sapo", name: "SAPO, MEO",
		domains:  "sapo.pt sapo.cv sapo.ao sapo.mz sapo.tl meo.pt",
		host:     "pop.sapo.pt",
		verified: ispdb,
	},
	{
		id: "uol", name: "UOL",
		domains: "uol.com.br",
		host:    "pop3.uol.com.br", user: localpart,
		enableURL: "http://bmail.uol.com.br/configuration/imap_access_config",
		verified:  ispdb,
		hint:      "UOL wants mail programs to be allowed in its settings first.",
	},
	{
		id: "bol", name: "BOL",
		domains: "bol.com.br",
		host:    "pop3.bol.com.br", user: localpart,
		verified: ispdb,
	},
	{
		id: "inbox-lv", name: "inbox.lv",
		domains: "inbox.lv",
		host:    "mail.inbox.lv", auth: "app_password",
		enableURL: "https://help.inbox.lv/?keyword=email_clients_access",
		verified:  ispdbHelp,
		hint: "Inbox wants an app password; it closes POP to a mailbox that nobody polls for two months or that " +
			"looks hijacked, until the web site opens it again.",
	},
	{
		id: "inbox-eu", name: "inbox.eu",
		domains: "inbox.eu",
		host:    "mail.inbox.eu", auth: "app_password",
		enableURL: "https://help.inbox.lv/?keyword=email_clients_access",
		verified:  ispdbHelp,
		hint: "Inbox wants an app password; it closes POP to a mailbox that nobody polls for two months or that " +
			"looks hijacked, until the web site opens it again.",
	},
	{
		id: "inbox-lt", name: "inbox.lt",
		domains: "inbox.lt",
		host:    "mail.inbox.lt", auth: "app_password",
		enableURL: "https://help.inbox.lv/?keyword=email_clients_access",
		verified:  ispdbHelp,
		hint: "Inbox wants an app password; it closes POP to a mailbox that nobody polls for two months or that " +
			"looks hijacked, until the web site opens it again.",
	},
	{
		id: "inbox-la", name: "inbox.la",
		domains: "inbox.la",
		host:    "mail.inbox.la", auth: "app_password",
		enableURL: "https://help.inbox.lv/?keyword=email_clients_access",
		verified:  ispdbHelp,
		hint: "Inbox wants an app password; it closes POP to a mailbox that nobody polls for two months or that " +
			"looks hijacked, until the web site opens it again.",
	},
	{
		id: "godaddy", name: "GoDaddy Workspace (own domain)",
		mx:       "secureserver.net",
		host:     "pop.secureserver.net",
		verified: ispdb,
	},
	{
		id: "pobox", name: "Pobox",
		domains: "pobox.com",
		host:    "mail.pobox.com", stls110: true,
		verified: ispdb,
	},
	{
		id: "rackspace", name: "Rackspace (own domain)",
		mx:       "emailsrvr.com",
		host:     "secure.emailsrvr.com",
		verified: unverified,
	},
	{
		id: "one-com", name: "one.com (own domain)",
		mx:       "one.com",
		host:     "pop.one.com",
		verified: unverified,
	},
	{
		id: "ox-eu", name: "OX Cloud EU (own domain)",
		mx:   "xion.oxcs.net",
		host: "pop.eu.appsuite.cloud", also: "pop.us.appsuite.cloud",
		verified: ispdb,
		hint:     "Mailboxes of the American cloud are at pop.us.appsuite.cloud.",
	},
	{
		id: "websupport", name: "Websupport (own domain)",
		mx:   "websupport.sk",
		host: "pop.websupport.sk", stls110: true,
		verified: ispdb,
	},
	{
		id: "active24", name: "Active24 (own domain)",
		mx:       "active24.com",
		host:     "email.active24.com",
		verified: ispdb,
	},
	{
		id: "icloud", name: "Apple iCloud",
		domains:  "mac.com me.com icloud.com",
		helpURL:  "https://support.apple.com/HT202304",
		verified: ispdb,
		hint:     "Apple offers IMAP only; let iCloud forward the mail to a mailbox that has POP3.",
	},
	{
		id: "proton", name: "Proton Mail",
		domains:  "proton.me protonmail.com protonmail.ch pm.me",
		mx:       "protonmail.ch",
		verified: help,
		hint: "Proton Mail has no POP3, and its Bridge speaks IMAP and SMTP; let it forward the mail to a mailbox " +
			"that has POP3.",
	},
	{
		id: "tuta", name: "Tuta, Tutanota",
		domains:  "tutanota.com tutanota.de tuta.com tuta.io tutamail.com keemail.me",
		verified: unverified,
		hint:     "Tuta's mail can be read with its own programs only.",
	},
}
