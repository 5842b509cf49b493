/*
 * stopwords.c - the list, sorted by bytes and searched by halves.
 *
 * The union of the Snowball project's French and English lists, the clitics, and
 * a few adverbs and auxiliaries of each. Folded: "où" and "ou" are one entry.
 */
#include "related/stopwords.h"

#include <string.h>

static const char *const words[] = {
	"a",       "about",    "above",    "afin",      "after",      "again",    "against",
	"ai",      "aie",      "aient",    "aies",      "ain",        "ainsi",    "ait",
	"all",     "alors",    "also",     "am",        "an",         "and",      "any",
	"apres",   "are",      "aren",     "as",        "at",         "au",       "aucun",
	"aucune",  "aujourd",  "aura",     "aurai",     "auraient",   "aurais",   "aurait",
	"auras",   "aurez",    "auriez",   "aurions",   "aurons",     "auront",   "aussi",
	"autre",   "autres",   "aux",      "avaient",   "avais",      "avait",    "avant",
	"avec",    "avez",     "aviez",    "avions",    "avoir",      "avons",    "ayant",
	"ayante",  "ayantes",  "ayants",   "ayez",      "ayons",      "be",       "because",
	"been",    "before",   "being",    "below",     "between",    "bien",     "both",
	"but",     "by",       "c",        "ca",        "can",        "ce",       "ceci",
	"cela",    "celle",    "celles",   "celui",     "ces",        "cet",      "cette",
	"ceux",    "chaque",   "chez",     "ci",        "comme",      "could",    "couldn",
	"d",       "dans",     "de",       "deja",      "depuis",     "des",      "did",
	"didn",    "do",       "does",     "doesn",     "doing",      "don",      "donc",
	"dont",    "down",     "du",       "during",    "each",       "elle",     "elles",
	"en",      "encore",   "entre",    "es",        "est",        "et",       "etaient",
	"etais",   "etait",    "etant",    "etante",    "etantes",    "etants",   "ete",
	"etee",    "etees",    "etes",     "etiez",     "etions",     "etre",     "eu",
	"eue",     "eues",     "eumes",    "eurent",    "eus",        "eusse",    "eussent",
	"eusses",  "eussiez",  "eussions", "eut",       "eutes",      "eux",      "ever",
	"every",   "faire",    "fait",     "faut",      "few",        "for",      "from",
	"fumes",   "furent",   "further",  "fus",       "fusse",      "fussent",  "fusses",
	"fussiez", "fussions", "fut",      "futes",     "get",        "got",      "had",
	"hadn",    "has",      "hasn",     "have",      "haven",      "having",   "he",
	"her",     "here",     "hers",     "herself",   "him",        "himself",  "his",
	"how",     "however",  "hui",      "i",         "if",         "il",       "ils",
	"in",      "into",     "is",       "isn",       "it",         "its",      "itself",
	"j",       "je",       "jusqu",    "just",      "l",          "la",       "le",
	"let",     "leur",     "leurs",    "like",      "ll",         "lors",     "lorsqu",
	"lorsque", "lui",      "m",        "ma",        "mais",       "many",     "may",
	"me",      "meme",     "memes",    "mes",       "might",      "moi",      "moins",
	"mon",     "more",     "most",     "much",      "must",       "my",       "myself",
	"n",       "ne",       "ni",       "no",        "non",        "nor",      "nos",
	"not",     "notre",    "nous",     "now",       "of",         "off",      "on",
	"once",    "one",      "only",     "ont",       "or",         "other",    "ou",
	"oui",     "our",      "ours",     "ourselves", "out",        "over",     "own",
	"par",     "parce",    "pas",      "pendant",   "peu",        "peut",     "peuvent",
	"plus",    "pour",     "presqu",   "puisqu",    "puisque",    "qu",       "quand",
	"que",     "quel",     "quelle",   "quelles",   "quelqu",     "quels",    "qui",
	"quoi",    "quoiqu",   "quoique",  "re",        "rien",       "s",        "sa",
	"same",    "sans",     "se",       "selon",     "sera",       "serai",    "seraient",
	"serais",  "serait",   "seras",    "serez",     "seriez",     "serions",  "serons",
	"seront",  "ses",      "shall",    "she",       "should",     "shouldn",  "si",
	"so",      "soi",      "soient",   "sois",      "soit",       "some",     "sommes",
	"son",     "sont",     "sous",     "soyez",     "soyons",     "such",     "suis",
	"sur",     "t",        "ta",       "te",        "tes",        "than",     "that",
	"the",     "their",    "theirs",   "them",      "themselves", "then",     "there",
	"these",   "they",     "this",     "those",     "through",    "to",       "toi",
	"ton",     "too",      "tous",     "tout",      "toute",      "toutes",   "tres",
	"trop",    "tu",       "un",       "under",     "une",        "until",    "up",
	"upon",    "us",       "ve",       "vers",      "very",       "vos",      "votre",
	"vous",    "was",      "wasn",     "we",        "were",       "weren",    "what",
	"when",    "where",    "which",    "while",     "who",        "whom",     "why",
	"will",    "with",     "within",   "without",   "won",        "would",    "wouldn",
	"y",       "yet",      "you",      "your",      "yours",      "yourself", "yourselves",
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
