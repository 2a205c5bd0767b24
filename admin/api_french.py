"""The API's documentation in French: what the schemas and scopes say in English (tests/admin/test_api_docs.py wants every text)."""

from collections.abc import Mapping

FRENCH: Mapping[str, str] = {
    # scopes
    "read profiles and find them by identity": "lire les profils et les trouver par identité",
    "make profiles, change their attributes": "créer des profils, changer leurs attributs",
    "read all that is kept about a person, in one answer":
        "lire tout ce qui est gardé d'une personne, en une réponse",
    "erase people for good": "effacer des personnes définitivement",
    "Its id, as the log of erasures and the audit have it.":
        "Son identifiant, tel que l'ont le journal des effacements et l'audit.",
    "What is kept of this kind; absent where there is none.": "Ce qui est gardé de ce genre ; absent s'il n'y a rien.",
    "add and remove identities": "ajouter et retirer des identités",
    "say that an identity is proved, which may merge profiles":
        "affirmer qu'une identité est prouvée, ce qui peut fusionner des profils",
    "read conversations and their messages": "lire les conversations et leurs messages",
    "send messages as the shop": "envoyer des messages au nom de la boutique",
    "report events": "signaler des événements",
    "read segments, decisions and what became of webhooks": "lire les segments, les décisions et le sort des webhooks",
    "make short addresses, send webhooks once more": "créer des adresses courtes, renvoyer des webhooks",
    "register push tokens for whom a signed identity names; may stand inside an app":
        "enregistrer des jetons de push pour qui une identité signée désigne ; peut se trouver dans une application",
    "say whose a push token is; for a server": "dire à qui est un jeton de push ; pour un serveur",
    # devices
    "Whose push service gave the token.": "Le service de push qui a donné le jeton.",
    "The token, as the service gave it.": "Le jeton, tel que le service l'a donné.",
    "The app's own id; Apple's bundle id.": "L'identifiant de l'application ; chez Apple le bundle id.",
    "The language of the phone (BCP 47).": "La langue du téléphone (BCP 47).",
    "A build from Xcode, which Apple keeps apart.": "Une application lancée depuis Xcode, qu'Apple met à part.",
    "Who is signed in, as your own server signed it (as for the web chat); absent: nobody.":
        "Qui est connecté, signé par votre propre serveur (comme pour le tchat) ; absent : personne.",
    "Whose it is, said by your server (needs devices:write).":
        "À qui il est, dit par votre serveur (demande devices:write).",
    "The key of its identity: the platform, a colon, the token.":
        "La clé de son identité : la plateforme, deux-points, le jeton.",
    "Whose it is now; told to those who may write devices.": "À qui il est ; dit à qui peut écrire les appareils.",
    # lists and filters
    "How many at most; 50 unless you say otherwise.": "Combien au plus ; 50 sauf indication contraire.",
    "The `after` of the page before.": "Le `after` de la page précédente.",
    "Only these.": "Seulement celles-ci.",
    "Only those answered so.": "Seulement celles à qui répond celui-ci.",
    "Only those of this channel.": "Seulement celles de ce canal.",
    "Only those of this profile.": "Seulement celles de ce profil.",
    "Only messages after this seq.": "Seulement les messages après ce numéro.",
    "This page.": "Cette page.",
    "Where the next page goes on; null on the last.": "Où reprend la page suivante ; null sur la dernière.",
    # people
    "The space: email, sms, telegram, user ...": "L'espace : email, sms, telegram, user...",
    "The address; phones and e-mails are normalised.": "L'adresse ; téléphones et e-mails sont normalisés.",
    "Its id; one merged into another answers with the other.": "Son identifiant ; un profil fusionné répond par l'autre.",
    "What people call them; may be empty.": "Comment on l'appelle ; peut être vide.",
    "When we first heard of them.": "Quand nous l'avons connu.",
    "The language they read.": "La langue lue.",
    "The language they read (BCP 47).": "La langue lue (BCP 47).",
    "The channel they last wrote on.": "Le canal de son dernier message.",
    "When they last wrote.": "La date de son dernier message.",
    "How to reach or recognise them.": "Comment le joindre ou le reconnaître.",
    "How to reach or recognise the person.": "Comment joindre ou reconnaître la personne.",
    "What is known of them.": "Ce que l'on en sait.",
    "Profiles that were merged into this one.": "Les profils fusionnés dans celui-ci.",
    "The space of the address.": "L'espace de l'adresse.",
    "The normalised address.": "L'adresse normalisée.",
    "Whether this address leads to this profile.": "Si cette adresse mène à ce profil.",
    "Since when we know it.": "Depuis quand nous la connaissons.",
    "Since when it is proved.": "Depuis quand elle est prouvée.",
    "Why it is not written to.": "Pourquoi on n'y écrit pas.",
    "Why this address is not written to.": "Pourquoi on n'écrit pas à cette adresse.",
    "Since when.": "Depuis quand.",
    "What we know.": "Ce que nous savons.",
    "How we know it.": "Comment nous le savons.",
    "Who told us: a channel, an agent, an API key.": "Qui nous l'a dit : un canal, un agent, une clé d'API.",
    "How you know the attributes; declared unless you say otherwise.":
        "Comment vous connaissez ces attributs ; declared sauf indication contraire.",
    "How you know the attributes; what was declared is not overwritten by the rest.":
        "Comment vous connaissez ces attributs ; ce qui a été déclaré n'est pas écrasé par le reste.",
    "Those named are learned, null forgets, the others stay.": "Ceux nommés sont appris, null oublie, les autres restent.",
    "email, sms (every phone), telegram, webchat, user (your own id) ...":
        "email, sms (tout téléphone), telegram, webchat, user (votre propre identifiant)...",
    "The person proved it is theirs (needs identities:verify). What is not proved is noted, "
    "not claimed: another profile that proves it has it.":
        "La personne a prouvé que c'est la sienne (demande identities:verify). Ce qui n'est pas prouvé est noté, "
        "non détenu : un autre profil qui le prouve l'obtient.",
    "The profile that the identity ended on.": "Le profil qui a finalement l'identité.",
    "What the link came to: noted is said, not proved; conflict is listed for a person.":
        "Le résultat : noted est dit, non prouvé ; conflict attend la décision d'une personne.",
    # conversations and messages
    "channel:address.": "canal:adresse.",
    "Whose it is.": "À qui elle est.",
    "The channel.": "Le canal.",
    "Their address there.": "Son adresse sur ce canal.",
    "Whether it asks for attention.": "Si elle demande de l'attention.",
    "Who answers.": "Qui répond.",
    "Which agent.": "Quel agent.",
    "The language spoken.": "La langue parlée.",
    "Its labels.": "Ses étiquettes.",
    "The number of its last message.": "Le numéro de son dernier message.",
    "When it began.": "Quand elle a commencé.",
    "When its last message came.": "Quand son dernier message est arrivé.",
    "A line of its last message.": "Une ligne de son dernier message.",
    "Who said that: customer, bot, system, agent:<id>.": "Qui l'a dit : customer, bot, system, agent:<id>.",
    "Since when the customer waits for a person.": "Depuis quand le client attend une personne.",
    "Its id.": "Son identifiant.",
    "Its conversation.": "Sa conversation.",
    "Whose conversation it was when it was said.": "À qui était la conversation quand ce fut dit.",
    "Its number in the conversation, from 1.": "Son numéro dans la conversation, à partir de 1.",
    "inbound: said by the customer.": "inbound : dit par le client.",
    "customer, bot, system, agent:<id>.": "customer, bot, system ou agent:<id>.",
    "What it says.": "Ce qu'il dit.",
    "The choices it offers.": "Les choix qu'il propose.",
    "What it carries.": "Ce qu'il transporte.",
    "When it was stored.": "Quand il a été enregistré.",
    "When it was last changed.": "Quand il a été modifié.",
    "Of an outbound one: what became of it.": "D'un message sortant : ce qu'il est devenu.",
    "What the button says.": "Ce que dit le bouton.",
    "What pressing it tells the bot; the title when there is none.": "Ce que l'appui dit au bot ; sinon le titre.",
    "Where it leads instead.": "Ou bien où il mène.",
    "What it is.": "Ce que c'est.",
    "Its name.": "Son nom.",
    "Its media type.": "Son type de média.",
    "Its size in bytes, 0 when unknown.": "Sa taille en octets, 0 si inconnue.",
    "Where it stands.": "Où elle en est.",
    "Why it ended so.": "Pourquoi elle a fini ainsi.",
    "When each state was reached.": "Quand chaque état a été atteint.",
    "What is said; a channel splits what is too long for it.": "Ce qui est dit ; un canal coupe ce qui est trop long pour lui.",
    "Choices; where a channel has no buttons they become a numbered list.":
        "Des choix ; sans boutons sur le canal, ils deviennent une liste numérotée.",
    # events
    "Your own id of the event: sent twice it is kept once.":
        "Votre identifiant de l'événement : envoyé deux fois, il est gardé une fois.",
    "What happened, noun.verb.": "Ce qui s'est passé, nom.verbe.",
    "Whom it happened to, by profile.": "À qui, par profil.",
    "Whom it happened to, by an identity that a profile holds.": "À qui, par une identité que détient un profil.",
    "When; now unless you say otherwise.": "Quand ; maintenant sauf indication contraire.",
    "Which system of yours says so: ids are its own.": "Lequel de vos systèmes le dit : les identifiants sont les siens.",
    "What else there is to know, at most 256 kB.": "Ce qu'il y a d'autre à savoir, 256 ko au plus.",
    "The identity's space.": "L'espace de l'identité.",
    "Its address.": "Son adresse.",
    "Your id.": "Votre identifiant.",
    "What became of it.": "Ce qu'il est devenu.",
    "Why it was refused.": "Pourquoi il a été refusé.",
    "1 to 500 events.": "1 à 500 événements.",
    "In the order of the events.": "Dans l'ordre des événements.",
    # messages by rule or by template
    "A rule with `when: {call: api}`.": "Une règle avec `when: {call: api}`.",
    "A template of the book, sent without a rule; `channels` and `class` say how.":
        "Un modèle du livre, envoyé sans règle ; `channels` et `class` disent comment.",
    "By profile.": "Par profil.",
    "By an identity that a profile holds.": "Par une identité que détient un profil.",
    "Whom; the rule or `channels` decide where they are reached.":
        "À qui ; la règle ou `channels` décident où on l'atteint.",
    "What the rule reads as start.*, at most 64 kB; not `name` and `at`, which it has.":
        "Ce que la règle lit comme start.*, 64 ko au plus ; ni `name` ni `at`, qu'elle a déjà.",
    "The matter, such as an order's number: while a run for it goes on, none begins.":
        "L'affaire, par exemple un numéro de commande : tant qu'un parcours court pour elle, aucun autre ne commence.",
    "With a template: where, the best first; preferred: where they react.":
        "Avec un modèle : où, le meilleur d'abord ; preferred : là où la personne réagit.",
    "With a template: on each of the channels, not on the first possible.":
        "Avec un modèle : sur chacun des canaux, et non sur le premier possible.",
    "With a template: which limits hold.": "Avec un modèle : quelles limites valent.",
    "With a template: what consent attaches to; a transactional one needs none.":
        "Avec un modèle : à quoi tient le consentement ; inutile pour un message transactionnel.",
    "accepted: on its way; held: not now; waiting: the rule has begun and sends later; refused: not at all.":
        "accepted : en route ; held : pas maintenant ; waiting : la règle a commencé et enverra ; refused : pas du tout.",
    "Why it is held or refused, as a code.": "Pourquoi c'est retenu ou refusé, en code.",
    "When it is looked at again.": "Quand on y reviendra.",
    "Whom it is about.": "De qui il s'agit.",
    "The run that began; null when none did.": "Le parcours commencé ; null s'il n'y en a pas.",
    "What is on its way.": "Ce qui est en route.",
    "Its id, for GET /messages/{id}.": "Son identifiant, pour GET /messages/{id}.",
    "Where it is sent.": "Où il est envoyé.",
    # decisions, segments
    "Which rule decided; `api:` and a template's name where a template was sent without one.":
        "Quelle règle a décidé ; `api:` et le nom d'un modèle envoyé sans règle.",
    "Which version of it.": "À quelle version.",
    "Which step; empty where the rule did not begin.": "À quelle étape ; vide si la règle n'a pas commencé.",
    "What was decided, as a code: sent, quiet, opted_out ...": "Ce qui a été décidé, en code : sent, quiet, opted_out...",
    "When.": "Quand.",
    "On which channel it was sent.": "Sur quel canal c'est parti.",
    "Which variant was sent.": "Quelle variante est partie.",
    "The messages that were sent.": "Les messages envoyés.",
    "Of which run.": "De quel parcours.",
    "Only those of this rule.": "Seulement celles de cette règle.",
    "Who is in it.": "Qui en fait partie.",
    "All of them, by name.": "Tous, par nom.",
    "How many are in it now, counted up to a million.": "Combien en font partie, comptés jusqu'à un million.",
    "Whether that is everybody.": "Si c'est tout le monde.",
    "Profile ids of this page.": "Les identifiants des profils de cette page.",
    "How many at most, up to 500; 100 unless you say otherwise.":
        "Combien au plus, jusqu'à 500 ; 100 sauf indication contraire.",
    # consents
    "read what people agreed to and refused": "lire ce que les personnes ont accepté et refusé",
    "keep what people said about being written to": "garder ce que les personnes ont dit des messages à recevoir",
    "A topic of the rule book; for a no also * for all.": "Un sujet du livre de règles ; pour un non, aussi * pour tous.",
    "All that was said, the newest first.": "Tout ce qui a été dit, le plus récent d'abord.",
    "From where, when it is known.": "D'où, quand on le sait.",
    "In which language the wording was shown; en unless you say otherwise.":
        "Dans quelle langue la phrase a été montrée ; en sauf indication contraire.",
    "The address of the browser that sent the form.": "L'adresse du navigateur qui a envoyé le formulaire.",
    "The channel; * for all.": "Le canal ; * pour tous.",
    "The channel; for a no also * for all.": "Le canal ; pour un non, aussi * pour tous.",
    "The proof's id.": "L'identifiant de la preuve.",
    "The topic; * for all.": "Le sujet ; * pour tous.",
    "The version of the wording that was shown.": "La version de la phrase montrée.",
    "The wording that was shown, or what they wrote.": "La phrase montrée, ou ce que la personne a écrit.",
    "What holds now; what is wider comes first.": "Ce qui vaut maintenant ; le plus large d'abord.",
    "What holds; asked: waits for its confirmation.": "Ce qui vaut ; asked : attend sa confirmation.",
    "What shows it: the form's address, the file and line, who heard it. A yes needs it.":
        "Ce qui le montre : l'adresse du formulaire, le fichier et la ligne, qui l'a entendu. Un oui l'exige.",
    "What the person said.": "Ce que la personne a dit.",
    "What was said; asked: a yes that waits for its confirmation.":
        "Ce qui a été dit ; asked : un oui qui attend sa confirmation.",
    "When it was kept.": "Quand cela a été gardé.",
    "Where it came from: preference_centre, one_click, keyword, agent:maya, key:abc form ...":
        "D'où cela vient : preference_centre, one_click, keyword, agent:maya, key:abc form...",
    "Where they said it. An import never undoes a no.": "Où la personne l'a dit. Un import ne défait jamais un non.",
    # codes
    "What it is for, as reports name it.": "À quoi il sert, comme le nomment les rapports.",
    "Where it leads, https://...": "Où il mène, https://...",
    "The code.": "Le code.",
    "The short address.": "L'adresse courte.",
    "Its QR code as SVG.": "Son code QR en SVG.",
    # webhooks
    "Its id, the same at every attempt.": "Son identifiant, le même à chaque essai.",
    "Where it goes.": "Où il va.",
    "Which rule sends it.": "Quelle règle l'envoie.",
    "dead: given up; it may be sent once more by hand.": "dead : abandonné ; il peut être renvoyé à la main.",
    "How often it was tried.": "Combien d'essais.",
    "What the last attempt came to.": "Ce qu'a donné le dernier essai.",
    "When the rule decided it.": "Quand la règle l'a décidé.",
    "When it is tried next.": "Quand a lieu le prochain essai.",
    "When it was taken, or given up.": "Quand il a été pris, ou abandonné.",
}  # fmt: skip
