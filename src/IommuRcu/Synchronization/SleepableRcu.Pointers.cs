// Protected pointers to unmanaged memory, by the calls of Rcu. Members of the instance, whose section it is that protects what they read.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public sealed unsafe partial class SleepableRcu
{
    /// <summary>Reads a protected pointer, to be followed inside the section.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is; naturally aligned.</param>
    /// <returns>The pointer, with everything visible that was written before it was published; or null.</returns>
    [RequiresReadLock]
    [return: RcuProtected]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* Dereference<T>(ref readonly T* location)
        where T : unmanaged
    {
        fixed (T** address = &location)
        {
            return (T*)Volatile.Read(ref *(nint*)address); // acquire: pairs with the release in Assign
        }
    }

    /// <summary>Reads a protected pointer that lies in unmanaged memory, to be followed inside the section.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">The address of the pointer; naturally aligned.</param>
    /// <returns>The pointer, with everything visible that was written before it was published; or null.</returns>
    [RequiresReadLock]
    [return: RcuProtected]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* Dereference<T>(T** location)
        where T : unmanaged => (T*)Volatile.Read(ref *(nint*)location);

    /// <summary>Reads a protected pointer as its writer, whose lock is held: no section is needed.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is.</param>
    /// <returns>The pointer.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* DereferenceProtected<T>(ref readonly T* location)
        where T : unmanaged => location; // plain: the writer's lock orders it after the last write

    /// <summary>Reads the value of a protected pointer for a null test or a comparison; it must not be followed.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is; naturally aligned.</param>
    /// <returns>The pointer.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* ReadPointer<T>(ref readonly T* location)
        where T : unmanaged
    {
        fixed (T** address = &location)
        {
            return (T*)Volatile.Read(ref *(nint*)address);
        }
    }

    /// <summary>Publishes a pointer: who dereferences the location from now on sees what it points to as it is now.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is; naturally aligned.</param>
    /// <param name="value">What it points to is complete; or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Assign<T>(ref T* location, [Publishes] T* value)
        where T : unmanaged
    {
        fixed (T** address = &location)
        {
            Volatile.Write(ref *(nint*)address, (nint)value);
        }
    }

    /// <summary>Publishes a pointer and returns the one that it replaces, which no new reader will reach.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is; naturally aligned.</param>
    /// <param name="value">What it points to is complete; or null.</param>
    /// <returns>What was there.</returns>
    [return: Unlinks]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* Exchange<T>(ref T* location, [Publishes] T* value)
        where T : unmanaged
    {
        fixed (T** address = &location)
        {
            return (T*)Interlocked.Exchange(ref *(nint*)address, (nint)value);
        }
    }

    /// <summary>Publishes a pointer if the location still holds the expected one.</summary>
    /// <typeparam name="T">The type it points to.</typeparam>
    /// <param name="location">Where the pointer is; naturally aligned.</param>
    /// <param name="value">What it points to is complete; or null.</param>
    /// <param name="comparand">What must be there.</param>
    /// <returns>What was there; the pointer was published if that is <paramref name="comparand"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* CompareExchange<T>(ref T* location, T* value, T* comparand)
        where T : unmanaged
    {
        fixed (T** address = &location)
        {
            return (T*)Interlocked.CompareExchange(ref *(nint*)address, (nint)value, (nint)comparand);
        }
    }
}
