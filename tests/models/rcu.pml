/* The read side and the grace period of IommuRcu.Rcu: no section outlives a grace period that began while it was open. */

/*
 * What is modelled
 *   READERS reader threads that open and close sections for ever, one thread that replaces the published object and hands the old
 *   one to a callback, and the grace-period thread:
 *
 *       reader                                   grace period
 *       slot := counter   (into a store buffer)  take the callbacks queued so far
 *       p := published                           process-wide barrier
 *       ... *p ...                               counter := counter + 1
 *       slot := 0         (into a store buffer)  wait, slot by slot, until it is 0 or not older than the counter
 *                                                process-wide barrier
 *                                                run the callbacks taken: free
 *
 *   Spin is sequentially consistent, so what a real machine may delay is modelled explicitly:
 *   - every reader has a store buffer, emptied at any time by DrainBuffer and, at the latest, by a process-wide barrier; a new
 *     reader's registration goes through it too;
 *   - with ARM64 defined, the load of the published pointer may be done before the load of the counter, and the last access of a
 *     section may be done after its closing store is visible. That is weaker than what ldar/stlr allow: right on it all the same.
 *   A process-wide barrier makes each thread pass a full fence at some moment between its begin and its end, one after the other:
 *   buffered stores become visible, a load done too early is done again, a load still owed is done.
 *
 * What is checked
 *   safety    assert: no freed object is accessed; no grace period ends while a section is open that was open when it began
 *   liveness  ltl Ends: every grace period ends, however busy the readers are (weak fairness)
 *
 * Broken variants, each refuted (tests/IommuRcu.Tests/Models runs them all):
 *   NO_FIRST_BARRIER        an announcing store still sits in its buffer while the slots are scanned
 *   NO_SECOND_BARRIER       (ARM64) the last access is still owed when the callback frees
 *   ADVANCE_BEFORE_BARRIER  (ARM64) a reader takes the new number together with an old pointer
 *   SKIP_ONE_READER         the scan leaves the last slot out
 *   CALLBACK_EARLY          a callback queued while a grace period runs is run at the end of that one
 *   SNAPSHOT_EARLY          the set of registered readers is taken before the first barrier: a new reader is missed
 *   UNLINK_LATE             the store that unlinks may become visible after the callback was queued: a reader fenced before that store
 *                           is visible finds the old object later. So Call and Synchronize are a release, and must stay one.
 *   NEVER_COMPARE           (liveness) the scan waits for 0 alone, not for a newer number: a busy reader holds it up for ever
 */

#ifndef READERS
#define READERS 2
#endif
#ifndef OBJECTS
#define OBJECTS 3        /* two are replaced: enough for a callback queued while a grace period runs */
#endif

byte Counter = 1;
byte Slot[READERS];                        /* in memory: what the scan sees */
chan Buffer[READERS] = [2] of { byte };    /* stores of a reader into its own slot that are not visible yet */
bool Registered[READERS];
#define REGISTERS 255                      /* in a buffer: the store that puts the reader among those scanned */

byte Published = 0;                        /* the number of the object that readers find */
#ifdef UNLINK_LATE
chan UnlinkBuffer = [1] of { byte };       /* the updater's store to Published, not visible yet */
#endif
bool Freed[OBJECTS];

#define IDLE 0
#define QUEUED 1
#define TAKEN 2
byte Callback[OBJECTS];

/* A reader's private state, here because a barrier completes what it has in flight. */
byte Held[READERS];                        /* the object its section reads */
bool Early[READERS];                       /* ARM64: Held was loaded ahead of the counter, and may still be taken back */
bool Owed[READERS];                        /* ARM64: the last access of the section just closed is still to be done */

bool Open[READERS];                        /* ghost: a section is open */
bool Predates[READERS];                    /* ghost: it was open when the grace period in progress began */
bool InProgress;                           /* ghost */

#define ACCESS(i) assert(!Freed[Held[i]])

/* The oldest buffered store of reader i becomes visible. */
inline Drain(i)
{
    if
    :: Buffer[i]?[REGISTERS] -> Buffer[i]?REGISTERS; Registered[i] = true
    :: else -> Buffer[i]?Slot[i]
    fi
}

/* What a full fence does to reader i, at whatever point of its program it is. */
inline Fence(i)
{
    do
    :: nempty(Buffer[i]) -> Drain(i)
    :: empty(Buffer[i]) -> break
    od;
    Early[i] = false;
    if
    :: Owed[i] -> ACCESS(i); Owed[i] = false; Open[i] = false; Predates[i] = false
    :: else
    fi
}

inline ProcessWideBarrier()
{
    r = 0;
    do
    :: r < READERS -> atomic { Fence(r); r++ }
    :: else -> break
    od;
    atomic {
#ifdef UNLINK_LATE
        if
        :: nempty(UnlinkBuffer) -> UnlinkBuffer?Published
        :: empty(UnlinkBuffer)
        fi;
#endif
        r = 0
    }
}

/* The memory system: a buffered store becomes visible some time. A process for each buffer, so that fairness holds for each. */
proctype DrainBuffer(byte i)
{
end:
    do
    :: atomic { nempty(Buffer[i]) -> Drain(i) }
    od
}

#ifdef UNLINK_LATE
active proctype DrainUnlinkBuffer()
{
end:
    do
    :: atomic { nempty(UnlinkBuffer) -> UnlinkBuffer?Published }
    od
}
#endif

proctype Reader(byte i)
{
    byte number;

    Buffer[i]!REGISTERS;
end:
    do
    :: true ->
#ifdef ARM64
        if
        :: atomic { Held[i] = Published; Early[i] = true }
        :: skip
        fi;
#endif
        number = Counter;
        /* The announcing store; ReadLock returns. */
        atomic { nfull(Buffer[i]) -> Buffer[i]!number; number = 0; Open[i] = true }
        atomic {
            if
            :: Early[i] -> Early[i] = false
            :: else -> Held[i] = Published
            fi
        }
        ACCESS(i);
#ifdef ARM64
        if
        :: atomic { nfull(Buffer[i]) -> Owed[i] = true; Buffer[i]!0 };
           atomic {
               if
               :: Owed[i] -> ACCESS(i); Owed[i] = false; Open[i] = false; Predates[i] = false
               :: else      /* a barrier had it done */
               fi
           }
        :: atomic { nfull(Buffer[i]) -> ACCESS(i); Open[i] = false; Predates[i] = false; Buffer[i]!0 }
        fi;
#else
        atomic { nfull(Buffer[i]) -> ACCESS(i); Open[i] = false; Predates[i] = false; Buffer[i]!0 };
#endif
        Held[i] = 0
    od
}

/* Replaces the object twice; each old one goes to a callback. */
active proctype Updater()
{
    byte next = 1;
    do
    :: next < OBJECTS ->
#ifdef UNLINK_LATE
        UnlinkBuffer!next;
#else
        Published = next;
#endif
        atomic { Callback[next - 1] = QUEUED; next++ }
    :: else -> break
    od
}

inline TakeCallbacks()
{
    atomic {
        o = 0;
        do
        :: o < OBJECTS ->
            if
            :: Callback[o] == QUEUED -> Callback[o] = TAKEN
            :: else
            fi;
            o++
        :: else -> break
        od;
        o = 0
    }
}

inline TakeReaders()
{
    atomic {
        r = 0;
        do
        :: r < READERS -> InScan[r] = Registered[r]; r++
        :: else -> break
        od;
        r = 0
    }
}

active proctype GracePeriod()
{
    byte r;
    byte o;
    bool InScan[READERS];

end:
    do
    :: atomic {
#if OBJECTS > 2
           Callback[0] == QUEUED || Callback[1] == QUEUED ->
#else
           Callback[0] == QUEUED ->
#endif
           InProgress = true;
           r = 0;
           do
           :: r < READERS -> Predates[r] = Open[r]; r++
           :: else -> break
           od;
           r = 0
       };
#ifndef CALLBACK_EARLY
       TakeCallbacks();
#endif
#ifdef SNAPSHOT_EARLY
       TakeReaders();
#endif
#ifdef ADVANCE_BEFORE_BARRIER
       Counter++;
       ProcessWideBarrier();
#else
#ifndef NO_FIRST_BARRIER
       ProcessWideBarrier();
#endif
       Counter++;
#endif
#ifndef SNAPSHOT_EARLY
       TakeReaders();
#endif
       r = 0;
       do
#ifdef SKIP_ONE_READER
       :: r < READERS - 1 ->
#else
       :: r < READERS ->
#endif
#ifdef NEVER_COMPARE
           (!InScan[r] || Slot[r] == 0);
#else
           (!InScan[r] || Slot[r] == 0 || Slot[r] >= Counter);
#endif
           r++
       :: else -> break
       od;
       r = 0;
#ifndef NO_SECOND_BARRIER
       ProcessWideBarrier();
#endif
#ifdef CALLBACK_EARLY
       TakeCallbacks();
#endif
       atomic {
           do
           :: r < READERS -> assert(!Predates[r]); InScan[r] = false; r++
           :: else -> break
           od;
           r = 0;
           do
           :: o < OBJECTS ->
               if
               :: Callback[o] == TAKEN -> Freed[o] = true; Callback[o] = IDLE
               :: else
               fi;
               o++
           :: else -> break
           od;
           o = 0;
           InProgress = false
       }
    od
}

init
{
    byte i;
    atomic {
        do
        :: i < READERS -> run Reader(i); run DrainBuffer(i); i++
        :: else -> break
        od
    }
}

ltl Ends { [] (InProgress -> <> !InProgress) }
