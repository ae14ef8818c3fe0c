// Writes a duration in seconds as its largest whole unit, such as "12 s" or "3 h".
// Shared by the features that say how old something is, so that they all say it the same way.
export const duration = (seconds) => {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
};
