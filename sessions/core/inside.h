// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of a session, shared by the files of this folder. One thread: the session's own.
//
// Requests to the engine are `pending` until their reply comes; each has a function that takes the reply. Changes go the
// same way whether a person, an undo or the journal asks for them, so there is one place where a change becomes a line.
#ifndef SESSIONS_CORE_INSIDE_H
#define SESSIONS_CORE_INSIDE_H

#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/catalog.h"
#include "sessions/store/folder.h"
#include "sessions/store/journal.h"
#include "sessions/store/manifest.h"
#include "sessions/sessions.h"
#include "sessions/store/summary.h"
#include "sessions/store/writer.h"

enum {
	AUTOSAVE_SECONDS = 60, // at the latest
	AUTOSAVE_LEAST = 5,    // and not before
	AUTOSAVE_PART = 16,    // between the two: once a sixteenth of all steps came since the last
	RETRY_SECONDS = 5,     // a journal that cannot be written is tried again so often
	MESSAGES = 64,         // kept for a person who does not ask for them
	MESSAGE_TEXT = 1024,
	UNDO_WAITING = 32,
	PLOTS_ASKED = 128, // more than a plotter lets wait
};

struct pending {
	struct pending *next;
	unsigned ticket;
	// Takes the reply (ok or not).
	void (*done)(struct session *, struct pending *, struct reply *);
	void (*drop)(void *job); // frees the job where the reply never comes
	void *job;               // what `done` needs beside
	enum journal_act act;    // of a change
	int of;
	char *text; // of a change: the command
	int lane;   // of a focus
	bool asked; // of a save: a person waits for the answer
};

struct message {
	bool bad;
	char text[MESSAGE_TEXT];
};

// What is said once the journal up to `end` is on the disk.
struct acknowledgement {
	struct acknowledgement *next;
	off_t end;
	char text[];
};

// What is known of the last evaluation of a split.
struct known_evaluation {
	bool known;
	long step;
	double accuracy, loss;
};

// The network on a device, and the roofline of its present choices; kept while the device is the same.
struct costed {
	struct description *network;
	struct costing *latency;
	char device[ENGINE_TEXT];
	struct layer_formats *formats; // [layers]
	struct roofline_point *point;  // [2][layers]
};

// What a batch run waits for; see wait.c.
enum wait_kind { WAIT_NOTHING, WAIT_STEP, WAIT_FINISHED, WAIT_READOUT };
struct wait {
	enum wait_kind kind;
	long goal;    // the step to reach (WAIT_READOUT: of this slice)
	char **words; // WAIT_READOUT: the comparison; owned
	int count;
};

// Lines of the journal that the engine has still to be taken through; see play.c.
struct play {
	bool on;
	int line;                  // the next one
	bool sent;                 // the run to its step was asked for
	bool posted;               // and its change
	int changes;               // applied
	bool tail;                 // there was something to follow
	char kernels[ENGINE_NAME]; // the set that the engine is to be opened on
	bool strict;               // a replay: the first difference ends it
	bool failed;
	struct fault fault;
};

// A session that another process has open is followed from its files; see follow.c.
struct follow {
	bool on;
	long owner;    // the process, 0: unknown
	bool left;     // it has gone, and that was said
	long step;     // of the checkpoint shown, -1: none
	off_t journal; // bytes of the journal shown
	double next;   // looked at again then
};

// A file of commands that is being read; see tour.c.
struct script {
	char *file;
	FILE *in;
	long line; // the present one; 0: none was read yet
	bool tour; // a lesson: its commands are shown before their answers
	bool told; // something since the last break
	char *text;
	size_t room;
};

// A draft as it was before an edit.
struct draft_before {
	struct draft_before *next;
	bool none;        // there was none yet
	uint8_t choice[]; // as session's draft
};

struct session {
	char folder[FOLDER_PATH]; // "": none (a replay)
	char title[256];
	int lock;
	bool read_only;
	char read_only_why[128];
	struct follow follow;
	bool unnamed; // made by this process, without a name
	bool by_hand; // something was asked of it that makes it worth keeping (a change and a note do so too)
	bool dropped; // it was begun only to be left for another one
	struct manifest manifest;
	struct config *began; // the settings it began with; as they are now the snapshot has them
	struct engine *engine;
	const struct engine_info *info;
	struct snapshot *snapshot;

	struct record *record; // history: steps 1..records
	uint8_t *modal;        // a row of info->slots per record
	long records, record_room;
	bool one_lane; // all are of the same
	// Of them, those of the lane that is shown, where there are others.
	struct {
		int lane;
		long seen, records, room; // seen: so many of all were looked through
		struct record *record;
		uint8_t *modal;
	} shown;
	int said_lane; // `lane N COMMAND` is being carried out; 0: no

	struct journal journal;
	struct mark *mark; // the journal as marks
	int marks, mark_room;

	struct writer *writer; // NULL: read-only or a replay
	long saved_step;       // of the last state sent to the writer, -1: none
	int saved_entries;
	double saved_at;             // seconds, monotonic
	bool saving;                 // a state is on its way
	struct writer_state written; // as the session knows it
	double retried_at;
	struct acknowledgement *waiting, **last_waiting;
	bool save_failed; // the last one did not reach the disk

	struct pending *pending;
	enum journal_act wanted[UNDO_WAITING]; // undo and redo asked for while changes are pending
	int wants;
	struct play play;
	struct wait wait;
	bool batch;

	struct costed costed;              // of the roofline figure
	uint8_t *draft;                    // option per slot, then a flag per slot: edited by hand, or following the modal choice
	struct draft_before *draft_before; // how it was before each edit, the last one first
	struct known_evaluation known[2];  // per enum split
	char digest[JOURNAL_DIGEST_TEXT];
	long digest_step; // -1: none
	int digest_entries;

	struct message message[MESSAGES];
	int first_message, messages;
	unsigned news;

	struct plotter *plotter;
	struct plot_context plot;
	const struct script *script; // of a batch run that is being read; NULL: none
	long plot_line[PLOTS_ASKED]; // of a batch run: the lines that asked for pictures, a ring from plots_done on
	unsigned plots_asked, plots_done;
	int plots_failed; // in this batch run
};

// ---- session.c ------------------------------------------------------------------------------------------------------

void session_say(struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_say_fault(struct session *, const struct fault *);
bool session_mark(struct session *, int entry); // marks a change of the journal for the curves; false: out of memory
// Adds a line to the journal and its mark, and gives it to the writer.
bool session_log(struct session *, const struct journal_line *, struct fault *);
// Says it once all lines logged so far are on the disk; at once where there is no disk to wait for.
void session_acknowledge(struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_drop_waiting(struct session *);
// Takes the newest snapshot.
void session_fetch(struct session *);
// Turns until nothing is pending; for those who may wait.
bool session_await_replies(struct session *, struct fault *);
// Turns until the writer has done all it can; false: something did not reach the disk.
bool session_flush(struct session *, struct fault *);

// ---- opening.c ------------------------------------------------------------------------------------------------------

// A session without a folder, around an engine at `state`. NULL: a fault.
struct session *session_bare(const struct config *, const struct state *, struct fault *);
void session_free(struct session *);
void session_make_read_only(struct session *, const char *why);
void session_forget_history(struct session *); // it is fetched again

// A fault: the session is read-only, and why. Always false.
bool session_refuse_read_only(const struct session *, struct fault *);
// Takes the journal over, with its marks.
bool session_adopt(struct session *, struct journal *, struct fault *);

// ---- follow.c -------------------------------------------------------------------------------------------------------

// Begins to follow process `owner`; `step` is that of the checkpoint that the engine stands at, -1: none.
void follow_begin(struct session *, long owner, long step);
void follow_turn(struct session *);
// Seconds until it has something to do; negative: never.
double follow_in(const struct session *);

// ---- listing.c ------------------------------------------------------------------------------------------------------

void session_summary(const struct session *, struct summary *);
// What is told where the session is left: its result, what is lost where not all of it was kept, and the command that opens it. `kept`:
// the step at which it opens again, -1: it is not there any more.
void session_farewell(const struct session *, long kept, struct string *);
bool run_sessions(struct command_call *);

// ---- requests.c -----------------------------------------------------------------------------------------------------

// A request's account is made before it is posted (NULL: out of memory, a fault), with its `ticket` as the place for the
// engine's; session_posted keeps it where the engine took the request, frees it where not, and passes `taken` on.
struct pending *session_pending(void (*done)(struct session *, struct pending *, struct reply *), struct fault *);
bool session_posted(struct session *, struct pending *, bool taken);
void session_take_replies(struct session *);
void session_drop_pending(struct session *);
bool session_change(struct session *, const struct change *, enum journal_act, int of, struct fault *);
bool session_undo(struct session *, enum journal_act, struct fault *);
// The lane that is shown: a person's commands are about it where they name none.
int session_focus(const struct session *);
bool session_focus_on(struct session *, int lane, struct fault *);
// `called`: the format of a uniform choice; of any other, what it is called.
bool session_evaluate(struct session *, enum choice_kind, const char *called, const uint8_t *choice, enum split, struct fault *);
// Posts a copy of the state to be saved (asked: and told) or only for its digest.
bool session_save(struct session *, bool asked, struct fault *);
bool session_ask_digest(struct session *, bool told, struct fault *);
bool session_saved(const struct session *); // nothing has happened since the last save
// A fault for what cannot be saved now: read-only, or still playing its journal; for changes also: the journal cannot be written.
bool session_may_save(const struct session *, struct fault *);
bool session_may_change(const struct session *, struct fault *);

// ---- play.c ---------------------------------------------------------------------------------------------------------

// Begins to take the engine, which stands behind so many lines of the journal, through those after that, each set of kernels
// in its turn; and, but for a replay, to the set that is to compute from there on.
void play_begin(struct session *, int lines, bool strict);
void play_turn(struct session *);
// The set that a search had behind so many lines.
const char *play_kernels(const struct journal *, const struct manifest *, int lines);

// ---- wait.c ---------------------------------------------------------------------------------------------------------

bool wait_begin(struct session *, enum wait_kind, long goal, int count, char *const *words, struct fault *);
void wait_end(struct session *);
// 1: it has come, 0: not yet, -1: it will not come, and the fault says why.
int wait_turn(struct session *, struct fault *);

// ---- script.c -------------------------------------------------------------------------------------------------------

// As script_place, of a line that was read before; 0: the file as a whole.
void script_place_at(const struct script *, long line, struct fault *);

// ---- draft.c, export.c, ask.c: commands ---------------------------------------------------------------------------

bool run_draft(struct command_call *);
bool run_apply(struct command_call *);
bool run_paste(struct command_call *);
void draft_drop(struct session *);
// Takes the last edit of the draft back. It is there.
bool draft_undo(struct session *, struct command_call *);
void draft_follow(struct session *); // what is not edited follows the modal choice
bool run_export(struct command_call *);
bool run_status(struct command_call *);
bool run_layers(struct command_call *);
bool run_why(struct command_call *); // why.c
bool run_front(struct command_call *);
bool run_knobs(struct command_call *);
bool run_price(struct command_call *);
bool run_print(struct command_call *);
bool run_expect(struct command_call *);
bool run_help(struct command_call *);
bool run_lane(struct command_call *);
bool run_in_lane(const struct command *); // whether it may stand behind `lane N`
// Says what was built, without its last newline, and frees it. False, with a fault: memory ran out while it was built.
bool say_all(struct command_call *, struct string *);

bool run_roofline(struct command_call *); // roofline.c

// ---- costed.c -------------------------------------------------------------------------------------------------------

// Opens the network of the catalog that the session trains, and fills s->costed.formats with the modal choice and, behind it, the draft.
bool session_costed(struct session *, struct fault *);
// The roofline, on the device that a term is about, of the modal choice and, where there is one, of the draft; for figures.
bool session_roofline(void *session, int term, struct roofline *, struct fault *);
void costed_free(struct costed *);

// ---- what several of them need -----------------------------------------------------------------------------------------------

// A lane by its number; NULL: none.
const struct lane_state *session_lane(const struct snapshot *, int number);
// Index of a cost term, -1: none.
int session_term(const struct session *, const char *name);
// As snapshot_meant; false and a fault (with the nearest name) where the word means no slot.
bool session_meant(const struct session *, const char *word, bool *meant, struct fault *);
// Whether the slots of a layer are one decision, and the layer's group, NULL: none.
bool session_tied(const struct session *, int layer);
const char *session_group(const struct session *, int layer);
// "int4", or "int4/int8" where weights and activations are decided apart, of what `text` says of a slot.
void session_both(const struct session *, int layer, const char *(*text)(const struct session *, int slot), char *buf,
	size_t size);
const char *session_modal_option(const struct session *, int slot);
const char *session_result_option(const struct session *, int slot);
// The modal choice of the snapshot, and its result: an option per slot.
void session_modal(const struct session *, uint8_t *choice);
void session_result(const struct session *, uint8_t *choice);
// "bops 201.3 M bit ops (+4.5 %), latency 84.2 ms/128 img, …": the costs of a choice and how far they are from `than`, where not NULL.
bool session_tell_costs(const struct session *, struct string *, const uint8_t *choice, const uint8_t *than);
// Adds to what a change of targets did: what each is in the term's unit, "2 ms per 128 images on a100".
void session_tell_targets(struct session *, struct string *, const struct change *);
// The option of a slot called `format`, -1: none.
int slot_option(const struct slot_info *, const char *format);

#endif
