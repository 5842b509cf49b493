/*
 * stopwords.c - the list, sorted by bytes and searched by halves.
 *
 * The union of the Snowball project's French and English lists, the clitics, and
 * what those lists forgot ("les", "pourrait") of pronouns, prepositions, adverbs and auxiliaries;
 * and of addresses on the web what they all begin or end with.
 * Folded: "où" and "ou" are one entry. Left out is what means something in the other
 * language, a "car" is a vehicle, a "font" a typeface, or as a noun: "devoirs" are done at
 * home, and "pouvoir" is held.
 */
#include "related/stopwords.h"

#include <string.h>

static const char *const words[] = {
	"a",          "about",      "above",     "afin",       "after",      "again",
	"against",    "ai",         "aie",       "aient",      "aies",       "ain",
	"ainsi",      "ait",        "all",       "alors",      "already",    "also",
	"although",   "always",     "am",        "among",      "an",         "and",
	"another",    "any",        "anyone",    "anything",   "apres",      "are",
	"aren",       "as",         "assez",     "at",         "au",         "aucun",
	"aucune",     "aujourd",    "auquel",    "aura",       "aurai",      "auraient",
	"aurais",     "aurait",     "auras",     "aurez",      "auriez",     "aurions",
	"aurons",     "auront",     "aussi",     "autant",     "autre",      "autres",
	"aux",        "auxquelles", "auxquels",  "avaient",    "avais",      "avait",
	"avant",      "avec",       "avez",      "aviez",      "avions",     "avoir",
	"avons",      "ayant",      "ayante",    "ayantes",    "ayants",     "ayez",
	"ayons",      "be",         "beaucoup",  "because",    "been",       "before",
	"being",      "below",      "between",   "bien",       "both",       "but",
	"by",         "c",          "ca",        "can",        "cannot",     "ce",
	"ceci",       "cela",       "celle",     "celles",     "celui",      "cependant",
	"certain",    "certaine",   "certaines", "certains",   "ces",        "cet",
	"cette",      "ceux",       "chacun",    "chacune",    "chaque",     "chez",
	"ci",         "com",        "combien",   "comme",      "comment",    "could",
	"couldn",     "d",          "dans",      "de",         "deja",       "depuis",
	"des",        "desquelles", "desquels",  "devaient",   "devais",     "devait",
	"devez",      "deviez",     "devions",   "devons",     "devra",      "devrai",
	"devraient",  "devrais",    "devrait",   "devras",     "devrez",     "devriez",
	"devrions",   "devrons",    "devront",   "did",        "didn",       "do",
	"does",       "doesn",      "doing",     "dois",       "doit",       "doivent",
	"don",        "donc",       "dont",      "down",       "du",         "duquel",
	"during",     "each",       "egalement", "either",     "elle",       "elles",
	"en",         "encore",     "ensuite",   "entre",      "environ",    "es",
	"est",        "et",         "etaient",   "etais",      "etait",      "etant",
	"etante",     "etantes",    "etants",    "etc",        "ete",        "etee",
	"etees",      "etes",       "etiez",     "etions",     "etre",       "eu",
	"eue",        "eues",       "eumes",     "eurent",     "eus",        "eusse",
	"eussent",    "eusses",     "eussiez",   "eussions",   "eut",        "eutes",
	"eux",        "even",       "ever",      "every",      "everyone",   "faire",
	"fais",       "fait",       "fallait",   "fallu",      "faudra",     "faudrait",
	"faut",       "few",        "for",       "from",       "fumes",      "furent",
	"further",    "fus",        "fusse",     "fussent",    "fusses",     "fussiez",
	"fussions",   "fut",        "futes",     "get",        "got",        "had",
	"hadn",       "has",        "hasn",      "have",       "haven",      "having",
	"he",         "her",        "here",      "hers",       "herself",    "him",
	"himself",    "his",        "how",       "however",    "http",       "https",
	"hui",        "i",          "ici",       "if",         "il",         "ils",
	"in",         "into",       "is",        "isn",        "it",         "its",
	"itself",     "j",          "jamais",    "je",         "jusqu",      "jusque",
	"just",       "l",          "la",        "laquelle",   "le",         "lequel",
	"les",        "lesquelles", "lesquels",  "let",        "leur",       "leurs",
	"like",       "ll",         "lors",      "lorsqu",     "lorsque",    "lui",
	"m",          "ma",         "mais",      "malgre",     "many",       "may",
	"maybe",      "me",         "meme",      "memes",      "mes",        "might",
	"moi",        "moins",      "mon",       "more",       "most",       "much",
	"must",       "my",         "myself",    "n",          "ne",         "neither",
	"never",      "ni",         "no",        "non",        "nor",        "nos",
	"not",        "nothing",    "notre",     "nous",       "now",        "of",
	"off",        "often",      "on",        "once",       "one",        "only",
	"ont",        "or",         "other",     "ou",         "oui",        "our",
	"ours",       "ourselves",  "out",       "over",       "own",        "par",
	"parce",      "parmi",      "pas",       "pendant",    "per",        "perhaps",
	"peu",        "peut",       "peuvent",   "peux",       "plus",       "plusieurs",
	"pour",       "pourquoi",   "pourra",    "pourrai",    "pourraient", "pourrais",
	"pourrait",   "pourras",    "pourrez",   "pourriez",   "pourrions",  "pourrons",
	"pourront",   "pouvaient",  "pouvais",   "pouvait",    "pouvez",     "pouviez",
	"pouvions",   "pouvons",    "presqu",    "presque",    "puis",       "puisqu",
	"puisque",    "puisse",     "puissent",  "puisses",    "puissiez",   "puissions",
	"qu",         "quand",      "que",       "quel",       "quelle",     "quelles",
	"quelqu",     "quelque",    "quelques",  "quels",      "qui",        "quite",
	"quoi",       "quoiqu",     "quoique",   "rather",     "re",         "really",
	"rien",       "s",          "sa",        "same",       "sans",       "sauf",
	"se",         "selon",      "sera",      "serai",      "seraient",   "serais",
	"serait",     "seras",      "serez",     "seriez",     "serions",    "serons",
	"seront",     "ses",        "shall",     "she",        "should",     "shouldn",
	"si",         "since",      "sinon",     "so",         "soi",        "soient",
	"sois",       "soit",       "some",      "someone",    "something",  "sometimes",
	"sommes",     "son",        "sont",      "sous",       "soyez",      "soyons",
	"still",      "such",       "suis",      "sur",        "surtout",    "t",
	"ta",         "tandis",     "tant",      "te",         "tel",        "telle",
	"telles",     "tels",       "tes",       "than",       "that",       "the",
	"their",      "theirs",     "them",      "themselves", "then",       "there",
	"these",      "they",       "this",      "those",      "though",     "through",
	"to",         "toi",        "ton",       "too",        "toujours",   "tous",
	"tout",       "toute",      "toutes",    "tres",       "trop",       "tu",
	"un",         "under",      "une",       "unless",     "until",      "up",
	"upon",       "us",         "va",        "vais",       "ve",         "vers",
	"very",       "via",        "voici",     "voila",      "vont",       "vos",
	"votre",      "vous",       "was",       "wasn",       "we",         "were",
	"weren",      "what",       "when",      "where",      "whether",    "which",
	"while",      "who",        "whom",      "why",        "will",       "with",
	"within",     "without",    "won",       "would",      "wouldn",     "www",
	"y",          "yet",        "you",       "your",       "yours",      "yourself",
	"yourselves",
};

static int compare(const char *word, size_t size, const char *entry)
{
	int order = strncmp(word, entry, size);

	return order != 0 || entry[size] == '\0' ? order : -1;
}

bool stopword(const char *word, size_t size)
{
	size_t low = 0, high = sizeof words / sizeof *words;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(word, size, words[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
